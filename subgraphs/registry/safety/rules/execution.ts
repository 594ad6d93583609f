/** Code that comes from elsewhere, or in disguise, and is run unseen. */
import { anyOf, matches, type Rule } from '../rule.js';

const SHELL = String.raw`(?:sudo )?(?:ba|z|da|k|fi)?sh\b`;

export const UNPACKS_AND_RUNS: Rule = {
  name: 'unpacks-and-runs',
  category: 'obfuscation',
  says: 'decodes something and runs it, so that nobody sees what runs',
  within: 'passage',
  find: anyOf(
    matches(
      new RegExp(
        String.raw`\b(?:base64|openssl (?:enc|base64)|xxd|uudecode|gunzip|base32)\b[^;]{0,60}(?:-d\b|-D\b|--decode|-r -p|-r\b)[^;]{0,40}\|\s?(?:${SHELL}|python\d?|perl|node|php|ruby)`,
        'gi',
      ),
    ),
    matches(/\beval\s+["']?(?:\$\{?\w{1,20}\}?){2,}/g),
    matches(/\b(?:ba|z|da)?sh\s+<\([^)]{0,2000}\|[^)]{0,40}(?:base64|xxd|openssl|rev|tr)\b/gi),
    matches(/\b(?:eval|exec|source|sh -c|bash -c)\b[^;]{0,20}\$\([^)]{0,200}(?:base64|xxd|printf|openssl|rev\b|tr )/gi),
    matches(
      /\b(?:eval|exec|Function|setTimeout|os\.system|subprocess\.\w{1,12}|compile|loads|Invoke-Expression|iex)\s?\(?[^;]{0,60}(?:atob\(|b64decode|fromhex\(|unhexlify|fromCharCode|Buffer\.from\([^)]{0,2000}['"](?:base64|hex)|FromBase64String|codecs\.decode|marshal)/gi,
    ),
    matches(
      /\bpowershell(?:\.exe)?\b[^;|]{0,120}\s-(?:e|ec|en|enc|enco|encod|encode|encoded|encodedc\w{0,8})\s+[A-Za-z0-9+/=]{16}/gi,
    ),
    matches(new RegExp(String.raw`\bprintf\s['"](?:\\x[0-9a-f]{2}|\\[0-7]{3}){4}[^|;]{0,400}\|\s?${SHELL}`, 'gi')),
  ),
};

export const RUNS_DOWNLOAD: Rule = {
  name: 'runs-download',
  category: 'execution',
  says: 'runs what it downloads without looking at it',
  within: 'passage',
  find: anyOf(
    matches(
      new RegExp(String.raw`\b(?:curl|wget|fetch)\b[^;|]{0,200}\|\s?(?:${SHELL}|python\d?|perl|node|ruby|php)`, 'gi'),
    ),
    matches(
      new RegExp(String.raw`(?:${SHELL} -c|\beval|\bsource|${SHELL})\s?["']?(?:\$\(|<\()\s?(?:curl|wget)\b`, 'gi'),
    ),
    matches(/\b(?:IEX|Invoke-Expression)\b[^;]{0,60}\b(?:DownloadString|Invoke-WebRequest|iwr|irm)\b/gi),
  ),
};

/** What only a program that means harm does; looked for in what was disguised. */
export const RUNS_SHELL: Rule = {
  name: 'runs-shell',
  category: 'execution',
  says: 'runs commands of the operating system',
  within: 'passage',
  find: matches(
    /\b(?:os\.system|subprocess\.(?:run|call|Popen)|child_process|execSync|Runtime\.getRuntime|shell_exec)\b|\/bin\/(?:ba)?sh\b/g,
  ),
};
