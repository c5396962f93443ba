// Connect
const socket = io('http://localhost:3000/chat', { query: { userId: 1 } });

// Join conversation
socket.emit('join-conversation', { conversationId: 1, userId: 1 });

// Send message
socket.emit('send-message', {
  sender_id: 1,
  conversation_id: 1,
  message_type: 'text',
  content: 'Test message'
});

// Listen for responses
socket.on('receive-message', console.log);
socket.on('message-sent', console.log);
socket.on('message-error', console.error);
