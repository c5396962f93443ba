const socket = io('http://localhost:3000/chat', {
  query: { userId: 1 }
});

socket.on('connect', () => {
  console.log('Connected to chat server');
});

socket.emit('join-conversation', {
  conversationId: 1,
  userId: 1
});

socket.on('joined-conversation', (data) => {
  console.log('Joined conversation:', data.conversationId);
});

// Send
socket.emit('send-message', {
  sender_id: 1,
  conversation_id: 1,
  message_type: 'text',
  content: 'Hello!'
});

// Receive
socket.on('receive-message', (data) => {
  displayMessage(data);
});

// Start typing
socket.emit('typing', {
  conversationId: 1,
  userId: 1,
  isTyping: true
});

// Listen for others typing
socket.on('user-typing', (data) => {
  if (data.isTyping) {
    showTypingIndicator(data.userId);
  }
});

socket.on('disconnect', () => {
  console.log('Disconnected from chat server');
});
