import { io } from 'socket.io-client';

const socket = io(API_BASE_URL, {
  // If your API is at https://api.example.com, use that origin
  // The default Socket.IO path is /socket.io
  auth: { token: YOUR_JWT },
  // alternatively: query: { token: YOUR_JWT },
});

socket.on('connect', () => {
  console.log('connected', socket.id);
});

socket.on('unread_count', ({ count }) => {
  console.log('unread:', count);
});

socket.on('new_message', (msg) => {
  console.log('new_message:', msg);
});

// Send a message
socket.emit('send_message', {
  conversationId: 'uuid-of-conversation',
  content: 'Hello!',
  attachments: [
    // optional
    // { url: 'https://...', type: 'IMAGE' | 'PDF' }
  ],
});

// Mark messages as read
socket.emit('read_messages', { conversationId: 'uuid-of-conversation' });
