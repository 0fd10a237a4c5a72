// Answers calls of demo.Echo with what hessian.js makes of the answers, some of them at once and out of order.
const hessian = require('hessian.js');
const net = require('net');

function head(flags, status, id, length) {
  const head = Buffer.alloc(16);
  head.writeUInt16BE(0xdabb, 0);
  head[2] = flags;
  head[3] = status;
  id.copy(head, 4);
  head.writeUInt32BE(length, 12);
  return head;
}

function encode(...values) {
  const encoder = new hessian.EncoderV2();
  values.forEach(value => encoder.write(value));
  return encoder.byteBuffer._bytes.slice(0, encoder.byteBuffer._offset);
}

function answer(service, method, parameters) {
  if (service !== 'demo.Echo') return [60, encode(`SERVICE_NOT_FOUND: ${service}`)];
  const failure = { $class: 'demo.NotAllowed', $: { detailMessage: 'no', code: 7 } };
  switch (method) {
    case 'say': return [20, encode(1, parameters)];
    case 'large': return [20, encode(4, 'x'.repeat(40000), { dubbo: '2.0.2' })];
    case 'nothing': return [20, encode(2)];
    case 'fail': return [20, encode(0, failure)];
    case 'failMore': return [20, encode(3, failure, { dubbo: '2.0.2' })];
    case 'busy': return [100, encode('SERVER_THREADPOOL_EXHAUSTED_ERROR')];
    default: return [40, encode(`BAD_REQUEST: ${method}`)];
  }
}

net.createServer(socket => {
  let waiting = Buffer.alloc(0);
  socket.on('error', () => {});
  socket.on('data', data => {
    waiting = Buffer.concat([waiting, data]);
    while (waiting.length >= 16 && waiting.length >= 16 + waiting.readUInt32BE(12)) {
      const end = 16 + waiting.readUInt32BE(12);
      const [flags, id, body] = [waiting[2], Buffer.from(waiting.slice(4, 12)), waiting.slice(16, end)];
      waiting = waiting.slice(end);
      if (flags & 0x20) {
        socket.write(Buffer.concat([head(0x22, 20, id, 1), Buffer.from('N')]));
        continue;
      }
      const decoder = new hessian.DecoderV2(body);
      const [, service, , method, types] = Array.from({ length: 5 }, () => decoder.read());
      const parameters = types ? decoder.read() : null;
      const [status, answered] = answer(service, method, parameters);
      const send = () => socket.write(Buffer.concat([head(2, status, id, answered.length), answered]));
      method === 'large' ? setTimeout(send, 100) : send();
    }
  });
}).listen(20880, process.argv[2]);
