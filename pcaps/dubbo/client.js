// apache-dubbo-js's calls, one after the other and several at once, as it saw them end.
const { DirectlyDubbo } = require('apache-dubbo-js');
const java = require('js-to-java');

const methods = {
  say: text => [java.String(text)],
  large: () => [java.combine('demo.Order', { id: 1, name: 'n'.repeat(3000), lines: [1, 2, 3], map: { a: 'b' } }), java.long(7), java.boolean(true)],
  nothing: () => [],
  fail: () => [java.array.String(['a', 'b']), java.double(1.5)],
  failMore: () => [],
  busy: () => [],
  unknown: () => [],
};
const dubbo = DirectlyDubbo.from({ dubboAddress: `${process.argv[2]}:20880`, dubboVersion: '2.0.2', dubboInvokeTimeout: 10 });
const echo = dubbo.proxyService({ dubboInterface: 'demo.Echo', version: '1.0.0', methods });
const missing = dubbo.proxyService({ dubboInterface: 'demo.Missing', version: '1.0.0', methods });

function tell(operation, { err }) {
  const outcome = !err ? 'ok' : /SERVICE_NOT_FOUND|BAD_REQUEST/.test(err.message) ? 'client_error' : 'server_error';
  console.log(JSON.stringify({ protocol: 'dubbo', operation, outcome }));
}

(async () => {
  console.log(JSON.stringify({ ordered: false }));
  for (let round = 0; round < 3; round++) {
    for (const method of Object.keys(methods)) {
      tell(method, await echo[method]('wonderful day'));
    }
    tell('say', await missing.say('hi'));
  }
  const calls = ['large', 'say', 'nothing', 'say'];
  const ends = await Promise.all(calls.map(method => echo[method]('at once')));
  ends.forEach((end, index) => tell(calls[index], end));
  process.exit(0);
})();
