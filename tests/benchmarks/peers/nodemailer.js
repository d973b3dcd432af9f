// nodemailer's pool, as its manual shows it. Usage: node nodemailer.js PORT CONNECTIONS COUNT FILE raw|given
// FILE is JSON with `message` (for raw) or with `subject`, `text`, `html` and `headers` (for given: it makes the message).
const fs = require('fs');
const nodemailer = require('nodemailer');

const [port, connections, count] = process.argv.slice(2, 5).map(Number);
const sample = JSON.parse(fs.readFileSync(process.argv[5], 'utf8'));
const raw = process.argv[6] === 'raw' ? Buffer.from(sample.message, 'latin1') : null;
const pool = nodemailer.createTransport({
  host: '127.0.0.1', port, secure: false, ignoreTLS: true, pool: true, maxConnections: connections, maxMessages: Infinity,
});

function mail(n) {
  const to = `reader${n}@example.org`;
  if (raw) return { raw, envelope: { from: 'digest@example.org', to } };
  const { subject, text, html, headers } = sample;
  return { from: 'Trending Papers <digest@example.org>', to, subject, text, html: html.replace(/Reader One/g, `Reader ${n}`), headers };
}

let next = 0;
async function lane() {
  while (next < count) await pool.sendMail(mail(next++));
}

const cpu = process.cpuUsage();
const began = process.hrtime.bigint();
Promise.all(Array.from({ length: 2 * connections }, lane)).then(() => {
  const wall = Number(process.hrtime.bigint() - began) / 1e9;
  const { user, system } = process.cpuUsage(cpu);
  console.log(JSON.stringify({ messages: count, wall, cpu: (user + system) / 1e6 }));
  pool.close();
});
