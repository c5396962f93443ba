import { io } from 'socket.io-client';
const socket = io('/chat', { auth: { token: `Bearer ${accessToken}` }, withCredentials: true });

socket.emit('conversation:join', { conversationId });
socket.emit('message:send', { conversationId, content: 'Hello' }, (ack) => {
	if (!ack?.ok) console.error(ack.error);
});

socket.on('message:created', (msg) => console.log('New message', msg));
