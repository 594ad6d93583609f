// What the tests run in processes of its own: node child.mjs <mode> <compiled platform/embedded> <arguments>.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MongoClient } from 'mongodb';

const [mode, compiled, ...args] = process.argv.slice(2);

function say(line) {
  process.stdout.write(`${line}\n`);
}

async function load(name) {
  return import(pathToFileURL(join(compiled, name)).href);
}

function stayAlive() {
  setInterval(() => {}, 60_000);
}

const modes = {
  async lock(dataDir) {
    const { lockDataDir } = await load('lock.js');
    try {
      await lockDataDir(dataDir);
      say('locked');
    } catch (error) {
      say(`refused: ${error.message}`);
    }
    // Those that were refused stay too, so that a winner's early end cannot let a second one in.
    stayAlive();
  },

  async serve(dataDir, cacheDir) {
    const { openEmbeddedMongo } = await load('mongo.js');
    const { url } = await openEmbeddedMongo({ dataDir, cacheDir });
    say(url);
  },

  /** Says the id of every write after it was acknowledged, until it is killed. */
  async write(dataDir, cacheDir, firstId) {
    const { openEmbeddedMongo } = await load('mongo.js');
    const { url } = await openEmbeddedMongo({ dataDir, cacheDir });
    const client = await new MongoClient(url).connect();
    const writes = client.db('test').collection('writes');
    let id = Number(firstId);
    const lane = async () => {
      for (;;) {
        const mine = id++;
        await writes.insertOne({ _id: mine, filler: 'x'.repeat(200) });
        await writes.updateOne({ _id: 'counter' }, { $inc: { value: 1 } }, { upsert: true });
        say(mine);
      }
    };
    await writes.updateOne({ _id: 'counter' }, { $inc: { value: 0 } }, { upsert: true });
    await Promise.all([lane(), lane(), lane(), lane()]);
  },

  async insert(url, id) {
    const client = await new MongoClient(url).connect();
    await client.db('test').collection('visitors').insertOne({ _id: id });
    await client.close();
    say('inserted');
  },
};

await modes[mode](...args);
