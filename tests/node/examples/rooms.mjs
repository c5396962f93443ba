import { io } from 'socket.io-client';

const socket = io('http://localhost:3000/chat', {
  auth: {
    token: 'YOUR_JWT_ACCESS_TOKEN', // from POST /auth/login or POST /auth/register
  },
  // Or send token in header:
  // extraHeaders: { Authorization: 'Bearer YOUR_JWT_ACCESS_TOKEN' },
});

socket.on('connect', () => console.log('Connected'));
socket.on('connect_error', (err) => console.error('Connection error', err));

socket.emit('join_room', { roomId: 'ROOM_MONGODB_ID' });

socket.on('message', (payload) => {
  console.log('New message', payload);
});

socket.on('user_typing', ({ userId, roomId }) => {
  console.log('User typing', userId, roomId);
});

socket.emit('send_message', { roomId: 'ROOM_ID', content: 'Hello!' });
socket.emit('typing', { roomId: 'ROOM_ID' });
