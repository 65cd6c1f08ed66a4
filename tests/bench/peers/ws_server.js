// The server that origin.md describes, on Node's ws: it keeps a table of its clients and sends each
// change to those that subscribed to the showtime, in a loop. Without compression, and with the
// text made into bytes once for all, which is the best that this way can do.
//
// Changes come as lines over plain TCP: {"showtimeId":"…","update":{…}}.
'use strict';

const net = require('node:net');
const { WebSocket, WebSocketServer } = require('ws');

const clients = new Map(); // WebSocket -> {showtimeId, sessionId}

function send(socket, message) {
  socket.send(JSON.stringify({ ...message, timestamp: Date.now() }));
}

function broadcastSeatUpdate(showtimeId, update) {
  const message = Buffer.from(JSON.stringify(update));
  for (const [socket, client] of clients) {
    if (client.showtimeId === showtimeId && socket.readyState === WebSocket.OPEN) {
      socket.send(message, { binary: false });
    }
  }
}

function onMessage(socket, data) {
  const message = JSON.parse(data);
  if (message.type !== 'subscribe') return;
  const { showtimeId, sessionId } = message;
  clients.set(socket, { showtimeId, sessionId });
  send(socket, { type: 'subscribed', showtimeId });
  send(socket, { type: 'current_seat_status', showtimeId, bookedSeats: [], lockedSeats: [] });
}

const server = new WebSocketServer({
  host: '127.0.0.1',
  port: 0,
  backlog: 4096,
  path: '/ws/seat-updates',
  perMessageDeflate: false,
});
server.on('connection', (socket) => {
  send(socket, { type: 'connection_established', sessionId: 'ws_session_id' });
  socket.on('message', (data) => onMessage(socket, data));
  socket.on('close', () => clients.delete(socket));
  socket.on('error', () => socket.terminate());
});

const feed = net.createServer((source) => {
  let rest = '';
  source.setEncoding('utf8');
  source.on('data', (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      const { showtimeId, update } = JSON.parse(line);
      broadcastSeatUpdate(showtimeId, update);
    }
  });
});

server.on('listening', () => {
  feed.listen(0, '127.0.0.1', () => {
    const address = `127.0.0.1:${server.address().port}`;
    const fed = `127.0.0.1:${feed.address().port}`;
    console.log(JSON.stringify({ msg: 'listening', address, feed: fed }));
  });
});
