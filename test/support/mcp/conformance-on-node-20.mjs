/** The suite imports globSync, which Node has from 22 on, for a command of it that is not used here. */
import { register } from 'node:module';

const FS = `export * from 'node:fs'; export { default } from 'node:fs'; export const globSync = undefined;`;
const HOOKS = `export async function resolve(specifier, context, next) {
  return specifier === 'fs' && context.parentURL?.includes('/@modelcontextprotocol/conformance/')
    ? { url: 'data:text/javascript,' + encodeURIComponent(${JSON.stringify(FS)}), shortCircuit: true }
    : next(specifier, context);
}`;
register(`data:text/javascript,${encodeURIComponent(HOOKS)}`);
