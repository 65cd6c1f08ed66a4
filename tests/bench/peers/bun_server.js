// The same server on bun: its WebSocket server with native topics, so that a change is one
// publish() and the fan-out is bun's own. Without compression.
//
// Changes come as lines over plain TCP: {"showtimeId":"…","update":{…}}.
'use strict';

function send(socket, message) {
  socket.send(JSON.stringify({ ...message, timestamp: Date.now() }));
}

function onMessage(socket, data) {
  const message = JSON.parse(data);
  if (message.type !== 'subscribe') return;
  const { showtimeId } = message;
  socket.subscribe(showtimeId);
  send(socket, { type: 'subscribed', showtimeId });
  send(socket, { type: 'current_seat_status', showtimeId, bookedSeats: [], lockedSeats: [] });
}

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  fetch(request, own) {
    if (own.upgrade(request)) return undefined;
    return new Response('this is a WebSocket', { status: 426 });
  },
  websocket: {
    perMessageDeflate: false,
    open: (socket) => {
      send(socket, { type: 'connection_established', sessionId: 'ws_session_id' });
    },
    message: onMessage,
  },
});

const decoder = new TextDecoder();
const feed = Bun.listen({
  hostname: '127.0.0.1',
  port: 0,
  socket: {
    open(source) {
      source.data = { rest: '' };
    },
    data(source, bytes) {
      const lines = (source.data.rest + decoder.decode(bytes)).split('\n');
      source.data.rest = lines.pop();
      for (const line of lines) {
        const { showtimeId, update } = JSON.parse(line);
        server.publish(showtimeId, JSON.stringify(update));
      }
    },
  },
});

const address = `127.0.0.1:${server.port}`;
console.log(JSON.stringify({ msg: 'listening', address, feed: `127.0.0.1:${feed.port}` }));
