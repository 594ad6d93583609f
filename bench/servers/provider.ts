/** An image server that speaks like OpenAI, and like Cloudflare, and answers at once, with pictures that were drawn before. */
import { createServer } from 'node:http';
import { readPictures } from '../support/pictures.js';

const { PORT, HOST, BENCH_PICTURES_DIR = '' } = process.env;
const pictures = await readPictures(BENCH_PICTURES_DIR);
const answersOf = (answer: (base64: string) => object) =>
  pictures.map((picture) => Buffer.from(JSON.stringify(answer(picture.toString('base64')))));
const openai = answersOf((b64_json) => ({ created: 1_785_000_000, data: [{ b64_json }] }));
const cloudflare = answersOf((image) => ({ result: { image }, success: true, errors: [], messages: [] }));
let next = 0;

const server = createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    const answers = request.url?.includes('/ai/run/') ? cloudflare : openai;
    const answer = answers[next++ % answers.length] ?? Buffer.alloc(0);
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length }).end(answer);
  });
});
server.listen(Number(PORT), HOST ?? '127.0.0.1');
