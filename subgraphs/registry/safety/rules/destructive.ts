/** Commands and orders that destroy what cannot be brought back. */
import { anyOf, matches, type Rule, together, unless } from '../rule.js';

/** Where destruction is part of the work: nothing of value lives there. */
const REHEARSAL =
  /\b(?:tests?|testing|staging|sandbox|throw-?away|scratch|demo data|local(?:ly)?|dev(?:elopment)?|fixtures?|container|emulator|temporary)\b|_test\b|_tmp\b/i;
const PRODUCTION = /\b(?:prod(?:uction)?|live|customers?|users?|accounts?|payments?|orders?|invoices|company)\b/i;
const CARE =
  /\b(?:after (?:checking|verifying|confirming|making sure)|make sure|double-check|really is|has confirmed|have confirmed|asks? for confirmation|only after|once (?:a person|somebody|the owner))\b/i;

/** Not all of them after all. */
const SELECTED =
  /\b(?:older than|last used|before \d|except|apart from|keep (?:the|at least|\d)|unused|orphaned|expired|dangling|untagged|you (?:made|created))\b(?![^.!?]{0,80}\bnewer\b)/;

const WHOLE_SYSTEM =
  /(?:--no-preserve-root|(?<=\s["']?)(?:\/\*?|~\/?\*?|"?\$\{?HOME\}?"?\/?\*?|\/(?:home|etc|usr|var|bin|sbin|lib|boot|root|opt|srv|Users)(?:\/\*?)?|[A-Za-z]:\\(?:\*(?:\.\*)?)?))(?=$|[\s"'`;&|).,])/;

/** rm with both switches, in any of their spellings, on what nobody can lose. */
function removesSystem(text: string): number[] {
  const found: number[] = [];
  for (const { index } of text.matchAll(/\brm\s+-/g)) {
    const command = text.slice(index, index + 200).split(/[;&|`\n]/, 1)[0] ?? '';
    const recursive = /\s-[a-zA-Z]*[rR]|\s--recursive\b/.test(command);
    if (recursive && WHOLE_SYSTEM.test(command)) found.push(index);
  }
  return found;
}

export const DESTRUCTIVE: readonly Rule[] = [
  {
    name: 'removes-system',
    category: 'destructive',
    says: 'removes the file system, a home directory or a system directory',
    within: 'sentence',
    find: removesSystem,
  },
  {
    name: 'removes-system-by-program',
    category: 'destructive',
    says: 'has a program remove the file system or a home directory',
    within: 'passage',
    find: matches(
      /\b(?:rmtree|rimraf|rmSync|rmdirSync|rm_rf|removeSync|RemoveAll|delete_dir|unlinkSync|fs\.rm)\(\s?(?:\w{1,20}\()?["'`]?(?:\/|~|[A-Za-z]:[\\/]{1,2}|\/(?:home|etc|usr|var|Users)\/?)["'`)*]|\b(?:rmtree|rimraf|rmSync|fs\.rm)\(\s?(?:os\.homedir\(\)|Path\.home\(\)|process\.env\.HOME)/g,
    ),
  },
  {
    name: 'holds-files-hostage',
    category: 'destructive',
    says: 'overwrites or encrypts files that are not its own',
    within: 'sentence',
    find: unless(
      REHEARSAL,
      anyOf(
        matches(
          /\b(?:overwrite|encrypt|scramble|corrupt|shred|garble)\s+(?:every|all|each)\b[^.!?]{0,60}\b(?:files?|documents?|photos?|data)\b[^.!?]{0,120}\b(?:random|zeros?|ransom|key to|\.locked|\.encrypted|\.crypt|cannot be (?:read|recovered|restored))/gi,
        ),
        matches(/\brename\b[^.!?]{0,60}\.(?:locked|encrypted|crypt)\b/gi),
      ),
    ),
  },
  {
    name: 'overwrites-disk',
    category: 'destructive',
    says: 'overwrites a disk',
    within: 'sentence',
    find: unless(
      CARE,
      matches(
        /\bdd\b[^|;]{0,120}\bof=\/dev\/(?:sd|hd|vd|xvd|nvme|mmcblk|disk)|>\s?\/dev\/(?:sd|hd|vd|xvd|nvme|mmcblk|disk)\w|\bshred\b[^|;]{0,80}\/dev\/\w|\bmkfs(?:\.\w{1,10})?\b[^|;]{0,80}\/dev\/\w|\bwipefs\b[^|;]{0,60}\/dev\/\w|\bdiskpart\b[^|]{0,60}\bclean\b/gi,
      ),
    ),
  },
  {
    name: 'fork-bomb',
    category: 'destructive',
    says: 'holds a fork bomb',
    within: 'passage',
    find: matches(/(\w{1,10}|:)\s?\(\)\s?\{\s?\1\s?\|\s?\1\s?&\s?\}\s?;\s?\1|%0\s?\|\s?%0/g),
  },
  {
    name: 'removes-everything-found',
    category: 'destructive',
    says: 'removes, locks or gives away every file of the machine',
    within: 'sentence',
    find: matches(
      /\bfind \/(?: |\*)[^|;]{0,120}(?:-delete|-exec (?:rm|shred|unlink|mv)\b)|\bch(?:mod|own)\b[^|;]{0,40}\s-\w*R\w*\s+\S{1,40}\s+\/(?=$|[\s`"';&.,])|\bmv\s+\/\*?\s+\/dev\/null/g,
    ),
  },
  {
    name: 'windows-wipe',
    category: 'destructive',
    says: 'wipes a drive, its files or its shadow copies',
    within: 'passage',
    find: matches(
      /\bformat\s+[a-z]:(?=\s|$|`)|\b(?:del|erase)\s+(?:\/[fsq]\s+){1,3}[a-z]:\\|\b(?:rd|rmdir)\s+\/s\b[^|;]{0,20}[a-z]:\\(?=$|[\s`"*])|\bvssadmin(?:\.exe)?\s+delete\s+shadows|\bwbadmin\s+delete\b|[a-z]:\\(?:Users|Windows)?\S{0,10} [^;]{0,60}\|\s?Remove-Item\b[^;]{0,60}-Force|Remove-Item\b[^;|]{0,80}[a-z]:\\(?:Users|Windows)?(?:\\\*)?(?=$|[\s"'`])/gi,
    ),
  },
  {
    name: 'drops-data',
    category: 'destructive',
    says: 'drops or empties tables or databases without a sign that they are test data',
    within: 'passage',
    find: unless(
      REHEARSAL,
      anyOf(
        matches(/\bDROP\s+(?:DATABASE|SCHEMA)\s+(?!IF\b)[\w"'`.]/gi),
        together(/\b(?:DROP\s+(?:DATABASE|SCHEMA|TABLE)|TRUNCATE\s+(?:TABLE\s+)?\w)/gi, PRODUCTION),
        together(/\bDELETE\s+FROM\s+[\w"`.]{1,60}\s?(?:;|`|$)/gi, PRODUCTION),
        matches(/\bdb\.dropDatabase\(\)|\bFLUSHALL\b/g),
      ),
    ),
  },
  {
    name: 'destroys-cloud',
    category: 'destructive',
    says: 'destroys cloud resources for good, without a person who confirms it',
    within: 'passage',
    find: unless(
      CARE,
      anyOf(
        together(
          /\b(?:aws s3 (?:rm\b[^|;]{0,120}--recursive|rb\b[^|;]{0,120}--force)|gsutil (?:-m )?rm -r|kubectl delete (?:namespace|ns)\b)/gi,
          /\b(?:prod(?:uction)?|live|backups?|company|customers?)\b/i,
        ),
        matches(/\bkubectl delete (?:pv|pvc|ns|namespaces?|all)\b[^|;]{0,40}--all\b/gi),
        unless(REHEARSAL, matches(/\bterraform destroy\b[^|;]{0,60}-auto-approve/gi)),
        unless(REHEARSAL, matches(/\b(?:gcloud projects delete|az group delete\b[^|;]{0,80}--yes)/gi)),
      ),
    ),
  },
  {
    name: 'orders-destruction',
    category: 'destructive',
    says: 'orders that all backups, snapshots, databases or machines be deleted',
    within: 'sentence',
    find: unless(
      new RegExp(`${REHEARSAL.source}|${SELECTED.source}`, 'i'),
      unless(
        CARE,
        matches(
          /\b(?:delete|remove|wipe|erase|destroy|purge|terminate|empty|drop)\s+(?:all|every|each|any)\b(?:\W{1,3}[\w-]{1,20}){0,4}?\W{1,3}(?:backups?|snapshots?|databases?|instances?|volumes?|repositor(?:y|ies)|customer data|user data|production data)\b/gi,
        ),
      ),
    ),
  },
  {
    name: 'erases-history',
    category: 'destructive',
    says: 'overwrites the history of a shared branch',
    within: 'passage',
    find: anyOf(
      matches(
        /\bgit push\b[^|;]{0,40}(?:--delete|\s:)\s?(?:main|master|production|release)\b|\bgit push\b[^|;]{0,40}(?:--force|-f)\b(?!-with-lease)[^|;]{0,30}--(?:all|mirror)\b|\breflog expire\b[^|;]{0,40}--expire=now\b[^;]{0,40}\bgc\b[^|;]{0,30}--prune=now/g,
      ),
      together(
        /\bgit push\b[^|;]{0,80}(?:--force\b(?!-with-lease)|\s-f\b|\s--mirror\b)/g,
        /--orphan|\bempty branch\b|\bhistory is gone\b|\b(?:erase|wipe|destroy|remove) the (?:whole |entire )?history\b/i,
      ),
    ),
  },
];
