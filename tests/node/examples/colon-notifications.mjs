import { io } from 'socket.io-client';
const socket = io('/notifications', { auth: { token: `Bearer ${accessToken}` }, withCredentials: true });

// Listen for new notifications
socket.on('notification:created', (notification) => {
	console.log('New notification:', notification);
});

// Get list of notifications
socket.emit('notification:list', { unreadOnly: true }, (ack) => {
	if (ack?.ok) console.log('Unread notifications:', ack.data);
});

// Get specific notification detail
socket.emit('notification:get', { notificationId: 'notif123' }, (ack) => {
	if (ack?.ok) console.log('Notification detail:', ack.data);
});

// Mark as read
socket.emit('notification:read', { notificationId: 'notif123' }, (ack) => {
	if (!ack?.ok) console.error(ack.error);
});

// Listen for unread count updates
socket.on('notification:count', ({ count }) => {
	console.log('Unread notifications:', count);
});
