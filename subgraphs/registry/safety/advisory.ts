/** What a careful reader would point out, without it being reason enough to keep a template from being published. */
import { hidesCharacters } from './disguise.js';
import { applyRules, pacer } from './inspect.js';
import { type Finding, matches, type Rule, together, unless } from './rule.js';
import { RUNS_DOWNLOAD } from './rules/execution.js';

const ADVISORY: readonly Rule[] = [
  RUNS_DOWNLOAD,
  {
    name: 'unverified-connection',
    category: 'caution',
    says: 'switches off the check of whom it is connected to',
    within: 'sentence',
    find: matches(
      /\bcurl\b[^|;]{0,120}\s(?:-k|--insecure)\b|\bverify\s?=\s?False\b|NODE_TLS_REJECT_UNAUTHORIZED\s?=\s?['"]?0|--no-check-certificate\b|StrictHostKeyChecking[= ]no\b|\bsslmode=disable\b/gi,
    ),
  },
  {
    name: 'careless-removal',
    category: 'caution',
    says: 'removes a directory whose name comes from a variable that may be empty',
    within: 'sentence',
    find: matches(/\brm\s+-\w{0,4}[rR]\w{0,4}\s+["']?\$\{?\w+\}?["']?\/?(?=$|[\s"'`;*])/g),
  },
  {
    name: 'open-permissions',
    category: 'caution',
    says: 'lets everybody write to files',
    within: 'sentence',
    find: matches(/\bchmod\s+(?:-R\s+)?(?:0?777|a\+rwx)\b/g),
  },
  {
    name: 'no-confirmation',
    category: 'caution',
    says: 'has something done that cannot be undone without asking a person',
    within: 'passage',
    find: together(
      /\bwithout (?:asking|confirmation|a prompt|prompting|review)\b|\b(?:-auto-approve|--yes|--force)\b|\bskip (?:the )?(?:confirmation|review|approval)\b/gi,
      /\b(?:delete|remove|destroy|pay|purchase|buy|transfer|publish|send|deploy|push|drop)\b/i,
    ),
  },
  {
    name: 'asks-for-secret',
    category: 'caution',
    says: 'asks the user for a secret; have it read from a secret store instead',
    within: 'sentence',
    find: unless(
      /\b(?:vault|secret (?:store|manager)|environment variable|keychain)\b/i,
      matches(
        /\b(?:ask|prompt|request)(?:\W{1,3}\w{1,15}){0,3}?\W{1,3}(?:user|customer|person|client)\b[^.!?]{0,60}\b(?:passwords?|api keys?|tokens?|private keys?|pin|card numbers?)\b/gi,
      ),
    ),
  },
  {
    name: 'persists',
    category: 'caution',
    says: 'makes something run again and again, or at every log-in',
    within: 'sentence',
    find: matches(
      /\bcrontab\s+-|\bsystemctl\s+enable\b|>>?\s?~\/\.(?:bashrc|zshrc|profile|bash_profile)\b|\/etc\/cron\b|\bschtasks\s+\/create\b|LaunchAgents\//gi,
    ),
  },
  {
    name: 'runs-as-root',
    category: 'caution',
    says: 'runs commands with all rights of the machine',
    within: 'sentence',
    find: matches(/(?:^|[\s`"'$(])sudo\s+(?!-l\b)\w/g),
  },
  {
    name: 'plain-http',
    category: 'caution',
    says: 'sends or loads something over an unencrypted connection',
    within: 'sentence',
    find: matches(
      /\bhttp:\/\/(?!localhost|127\.|0\.0\.0\.0|\[::1\]|10\.|192\.168\.|[\w-]{1,40}(?:[:/]|\s|$)|(?:[\w-]+\.)*example\.)[\w.-]{4,}/gi,
    ),
  },
];

const BLOB = /[A-Za-z0-9+/]{400,}={0,2}/;

export async function advise(text: string): Promise<Finding[]> {
  const findings = await applyRules(ADVISORY, text, pacer());
  if (hidesCharacters(text)) {
    findings.push({
      rule: 'hidden-characters',
      category: 'caution',
      says: 'holds characters that cannot be seen',
      line: 1,
    });
  }
  const blob = text.search(BLOB);
  if (blob >= 0 && !/data:[\w/+.-]{1,60};base64,$/.test(text.slice(Math.max(0, blob - 80), blob))) {
    findings.push({
      rule: 'long-blob',
      category: 'caution',
      says: 'holds a long encoded block that a reader cannot check',
      line: text.slice(0, blob).split('\n').length,
    });
  }
  return findings;
}
