/** Secrets that are read and sent away. Using a secret where it belongs, in a header or an SDK, is none of this. */
import { anyOf, matches, oneOf, type Rule, together, unless } from '../rule.js';

/** Places that hold nothing but secrets, and commands that print all of them. */
const SECRET_STORE = oneOf(
  /\.ssh\b(?!\/[\w.-]{1,60}\.pub\b)(?![\w-])/,
  /\bid_(?:rsa|dsa|ecdsa|ed25519)\b(?!\.pub)/,
  /\.aws\b["'/, ]{1,5}(?:credentials|config)\b/,
  /\.config\/(?:gcloud|gh|hub|op|doctl|rclone)\b/,
  /\.azure\/\w/,
  /\.gnupg\b/,
  /\.kube\/config\b/,
  /\.docker\/config\.json\b/,
  /\.(?:netrc|pgpass|npmrc|pypirc|git-credentials|vault-token)\b/,
  /\/etc\/(?:shadow|gshadow|sudoers)\b/,
  /(?<![\w.)\]])\.env\b(?!\.(?:example|sample|template|dist)\b)(?!\.[a-z]+\()/,
  /\bwallet\.dat\b/,
  /\b(?:login data|cookies\.sqlite|key4\.db|login\.keychain)\b/,
  /\bprintenv\b/,
  /\benv ?(?:\||>|`)/,
  /\$\(env\)/,
  /\bos\.environ\b(?!\.get|\[)/,
  /\bprocess\.env\b(?!\.|\[)/,
  /\bgetenv\(\)/,
  /\bgit credential fill\b/,
  /\bsecurity find-(?:generic|internet)-password\b/,
  /\b169\.254\.169\.254\b/,
  /\bmetadata\.google\.internal\b/,
  /\bsaved (?:passwords|logins|credentials)\b/,
  /\bpassword hashes\b/,
  /\b(?:all|the|every) (?:\w+ )?environment variables?\b/,
);

/** Secrets by name, in prose. */
const SECRET =
  /\b(?:(?:api|access|secret|private|signing|encryption|ssh) keys?|(?:access|auth|authentication|bearer|refresh|session|personal access|api|bot) tokens?|credentials?|passwords?|passphrases?|(?:seed|recovery|mnemonic) (?:phrase|words)|session cookies?|(?:verification|two-factor|2fa|one-time|login|security|(?:four|six|eight|\d)-digit) codes?|codes? (?:that )?(?:they|the user|you|he|she) (?:just )?(?:received|got)|(?:credit )?card numbers?|(?:looks?|looking) like (?:a|an) (?:key|token|secret|password|credential)s?)\b/gi;

const SENDING =
  /\b(?:send(?:s|ing)?|post(?:s|ing)?|upload(?:s|ing)?|transmit(?:s|ting)?|forward(?:s|ing)?|submit(?:s|ting)?|push(?:es|ing)?|paste|report|append|includ(?:e|ing)|attach|deliver|e-?mail|exfiltrate|leak|relay|ship|copy|beacon|drop|dump|share|publish|hand over|pass (?:it|them) (?:on|to)|write (?:it|them) (?:in)?to|comment)\b/i;

/** Where things go when they leave: addresses outside, and the tools that carry them. */
const OUTSIDE =
  /(?:https?|s?ftps?|wss?):\/\/(?!(?:localhost|127\.|0\.0\.0\.0|\[::1\])[:/\s`"')])[\w[]|[\w.+-]{1,60}@[\w-]{1,60}\.[a-z]|\btransfer\.sh\b|\b(?:pastebin|webhook|ngrok|requestbin|telegram bot|discord webhook|gist)\b|\/dev\/tcp\//i;

const CARRYING =
  /\bcurl\b[^|;]{0,200}(?:\s-\w{0,4}[dFT]\b|--data\S*|--form|--upload-file|-X ?POST)|\bwget\b[^|;]{0,200}--post|\b(?:nc|ncat|netcat) -?\S{1,60} ?\d|requests\.(?:post|put|get)\(|\bfetch\(|\baxios\b|\burlopen\(|http\.request\(|\bscp\b|\brsync\b|\/dev\/tcp\/|Invoke-(?:WebRequest|RestMethod)/i;

/** The ordinary way to present a key to the service that it belongs to. */
const PRESENTED = /\b(?:authori[sz]ation|bearer|x-api-key|headers?|basic auth|authenticat\w{1,5})\b/i;
const OURSELVES =
  /\b(?:public (?:key|half)|vault|secret(?:s)? (?:store|manager)|key ?ring|password manager|your own)\b/i;

const SECRET_IN_QUERY =
  /https?:\/\/([\w.-]{1,120})(?::\d+)?(?:\/[^\s?#]{0,200})?\?[^\s#]{0,200}?=\s?\$\{?([A-Z][A-Z0-9_]*(?:KEY|TOKEN|SECRET|PASSWORD))\b/g;

/** A key in a query that goes to a host which shares no word with the key's name. */
function foreignQuery(text: string): number[] {
  return [...text.matchAll(SECRET_IN_QUERY)]
    .filter(([, host = '', name = '']) => {
      const words = name.toLowerCase().split('_');
      return !words.some(
        (word) =>
          word.length > 2 &&
          !/^(?:key|token|secret|password|api|access)$/.test(word) &&
          host.toLowerCase().includes(word),
      );
    })
    .map(({ index }) => index);
}

const PERSONAL_DATA =
  /\b(?:customers?|users?|employees?|patients?|clients?|members?)\b[^.!?]{0,40}\b(?:tables?|data|records?|database|lists?|addresses|card numbers?)\b/gi;
const ELSEWHERE =
  /\b(?:my|his|her|a) (?:own |personal |private )+(?:dropbox|drive|google drive|onedrive|gmail|e-?mail|account|server|machine|laptop|bucket|repository)\b/i;

export const EXFILTRATION: readonly Rule[] = [
  {
    name: 'secret-store-sent-away',
    category: 'exfiltration',
    says: 'reads a place that holds secrets (keys, credentials or the whole environment) and sends it elsewhere',
    within: 'passage',
    find: anyOf(together(SECRET_STORE, SENDING, OUTSIDE), together(SECRET_STORE, CARRYING)),
  },
  {
    name: 'secret-sent-away',
    category: 'exfiltration',
    says: 'sends keys, passwords or codes to an address',
    within: 'sentence',
    find: unless(PRESENTED, unless(OURSELVES, together(SECRET, SENDING, OUTSIDE))),
  },
  {
    name: 'secret-stolen',
    category: 'exfiltration',
    says: 'leaks or collects secrets',
    within: 'sentence',
    find: anyOf(
      matches(
        /\b(?:exfiltrate|leak|steal|siphon(?: off)?|harvest|smuggle(?: out)?)\b[^.!?]{0,60}\b(?:keys?|tokens?|secrets?|passwords?|credentials?|cookies?|conversation|environment)\b/gi,
      ),
      matches(
        /\b(?:nslookup|dig|host|ping|getent)\b[^;|]{0,40}\$[({]?[^;]{0,40}(?:TOKEN|KEY|SECRET|PASSWORD|passwd|shadow)/g,
      ),
      together(
        /\b(?:collect|gather|harvest|record|note|remember|save)\b[^.!?]{0,120}\b(?:keys?|tokens?|secrets?|passwords?|credentials?)\b/gi,
        /\b(?:send|transmit|upload|forward|submit|post)\b/i,
        OUTSIDE,
      ),
    ),
  },
  {
    name: 'personal-data-taken',
    category: 'exfiltration',
    says: 'copies data about people to a private place',
    within: 'sentence',
    find: together(PERSONAL_DATA, SENDING, ELSEWHERE),
  },
  {
    name: 'secret-asked-of-user',
    category: 'exfiltration',
    says: 'has the user hand over a secret and passes it on',
    within: 'passage',
    find: unless(
      PRESENTED,
      together(
        /\b(?:ask|have|get|make|request|prompt|tell|when|once|if) (?:the|a|any|each) (?:user|customer|visitor|client|person)s?\b[^.!?]{0,80}\b(?:tokens?|passwords?|api keys?|private keys?|(?:seed|recovery) phrase|pin|codes?|credentials)\b/gi,
        /\b(?:enter|type|send|post|upload|transmit|forward|submit|push|paste|append|pass|deliver|relay)\b/i,
        OUTSIDE,
      ),
    ),
  },
  {
    name: 'secret-in-address',
    category: 'exfiltration',
    says: 'puts a secret into the address of a service that it does not belong to',
    within: 'passage',
    find: foreignQuery,
  },
  {
    name: 'conversation-in-address',
    category: 'exfiltration',
    says: 'hides what was said, or a secret, in the address of a picture or request',
    within: 'passage',
    find: anyOf(
      together(
        /\b(?:encode|embed|append|put|add|include|insert|hide)\b[^.!?]{0,80}\b(?:conversation|chat|history|messages|context|credentials?|tokens?|keys?|secrets?)\b/gi,
        /\b(?:url|query|link|image|picture|pixel)\b[^.!?]{0,30}\b(?:parameter|string|address|source)s?\b|\b(?:parameter|address) of\b/i,
        /https?:\/\//i,
      ),
      matches(
        /!\[[^\]]{0,80}\]\(https?:\/\/[^)\s]{1,200}[?&][^)\s]{0,80}(?:TOKEN|API_?KEY|SECRET|PASSWORD|CONVERSATION|HISTORY|\{\{?[^)}]{1,60}\}?\})/g,
      ),
    ),
  },
  {
    name: 'mail-forwarded',
    category: 'exfiltration',
    says: 'forwards messages with passwords or codes to somebody else',
    within: 'sentence',
    find: together(
      /\b(?:forward|redirect|bcc|copy)\b[^.!?]{0,120}\b(?:password|verification|login|security|2fa|one-time)\b/gi,
      /[\w.+-]{1,60}@[\w-]{1,60}\.[a-z]/i,
    ),
  },
];
