/** Text that tries to become the instructions of whoever reads it: a model, an agent, or our own judge. */
import { anyOf, matches, type Rule, together } from '../rule.js';

const GAP = String.raw`(?:\W{1,4}[\w’']{1,20})`;
const DROPPING = String.raw`\b(?:ignore|disregard|forget|override|overrule|bypass|neglect|abandon|discard|set aside|throw away|pay no attention to|stop following|do not follow|don['’]t follow)`;
const ORDERS = String.raw`(?:instructions?|directions?|guidelines?|guidance|rules?|directives?|prompts?|polic(?:y|ies)|restrictions?|limitations?|safeguards?|guardrails?|programming|training|system messages?|orders|constraints)\b`;
const WHOSE = String.raw`(?:previous|prior|earlier|preceding|above|foregoing|former|existing|original|initial|system|your|safety|content|ethical|developer|operator)\b`;

const DROP_ORDERS = new RegExp(`${DROPPING}${GAP}{0,4}?\\W{1,4}${WHOSE}${GAP}{0,4}?\\W{1,4}${ORDERS}`, 'gi');
const DROP_WHAT_WAS_SAID = new RegExp(
  `${DROPPING}\\W{1,4}(?:everything|anything|all|whatever|what)${GAP}{0,6}?\\W{1,4}(?:(?:was|were|been|has|have|had)\\W{1,4}(?:told|taught|given|instructed)\\W{1,4}you|you${GAP}{0,2}?\\W{1,4}(?:told|taught|given|instructed|programmed)|(?:written|said|stated) (?:above|before this))`,
  'gi',
);

/** "Whatever your guidelines say …", "even if your rules forbid it …" */
const IN_SPITE_OF = new RegExp(
  `\\b(?:whatever|regardless of|no matter (?:what|how)|even (?:if|though|when)|despite|contrary to|notwithstanding)${GAP}{0,3}?\\W{1,4}(?:your|system|developer)${GAP}{0,2}?\\W{0,4}${ORDERS}`,
  'gi',
);

const VOID = new RegExp(
  `\\b${WHOSE}${GAP}{0,2}?\\W{1,4}${ORDERS}\\W{1,4}(?:is|are|was|were|has been|have been|do|does)\\W{1,4}(?:(?:not|no|now|hereby|longer|all|null|and)\\W{1,4}){0,4}(?:void|valid|apply|suspended|revoked|cancel\\w*|obsolete|superseded|replaced|binding|in force|over|wrong)`,
  'gi',
);

/** A new master. */
const NEW_MASTER =
  /\byou (?:now )?(?:have|serve|answer to|belong to|work for) (?:a |an )?(?:new |other |different )(?:owner|master|operator|boss|principal|system prompt|instructions)\b|\b(?:obey|follow|answer to|listen to|trust)\W{1,3}(?:only|nothing but|no one but|nobody but) (?:me|this|these|what|the following)\b|\b(?:obey|answer to|listen to) (?:me|this \w{1,20}|these \w{1,20}) (?:alone|only)\b/gi;

/** The same order in the languages that it is most often given in. */
const IN_OTHER_LANGUAGES =
  /ignor\p{L}{0,4} (?:todas? )?(?:as |las |tus |suas |sus |le |tutte le |tutti )?(?:instrucciones|instruções|istruzioni|reglas|regras|regole) (?:anteriores|previas|prévias|precedenti|de arriba)|(?:ignor|oubli|néglig)\p{L}{0,5} (?:toutes )?(?:les |tes |vos )?(?:instructions|consignes|règles) (?:précédentes|antérieures|ci-dessus|initiales)|(?:ignorier|vergiss|missacht|vergesst|vergessen sie)\p{L}{0,4} (?:sie )?(?:bitte )?(?:alle )?(?:deine |ihre |die )?(?:bisherigen|vorherigen|vorigen|früheren|obigen|vorangegangenen|ursprünglichen)n? (?:anweisungen|regeln|instruktionen|vorgaben|befehle)|negeer (?:alle )?(?:vorige|eerdere|bovenstaande) (?:instructies|regels)|(?:игнорируй|забудь|проигнорируй)(?:те)? (?:все )?(?:предыдущие|прежние|прошлые) (?:инструкции|указания|правила)|(?:忽略|无视|忘记)(?:掉)?(?:所有|全部)?(?:你)?(?:之前|以上|先前|上面|此前)?(?:的)?(?:所有|全部)?(?:指令|指示|说明|提示词?|规则)|(?:以前|これまで|上記|今まで)の(?:すべての)?(?:指示|命令|ルール)を(?:すべて|全て)?(?:無視|忘れ)/giu;

const SUSPENDED =
  /\b(?:safety|content|ethical|moderation|security|your|all)(?:\W{1,3}\w{1,20}){0,2}?\W{1,3}(?:guidelines?|filters?|filtering|polic(?:y|ies)|restrictions?|rules|safeguards?|guardrails?|checks|limits)\W{1,3}(?:is|are|was|were|has been|have been)(?:\W{1,3}\w{1,15}){0,2}?\W{1,3}(?:suspended|disabled|lifted|removed|off|turned off|deactivated|void|waived)\b/gi;

const PERSONA =
  /\b(?:you are(?: now)?|you will(?: now)?|act as|acting as|pretend|from now on|behave|respond as|answer as|role-?play|imagine|stay in character|enter|switch to|go into|continue in)\b/i;
const UNBOUND =
  /\bDAN\b|\bdo anything now\b|\b(?:developer|god|jailbreak|unrestricted|unfiltered|uncensored|free) mode\b|\bunrestricted\b|\bjailbroken\b|\buncensored\b|\b(?:has|have|with|without|under) (?:no|any) (?:\w{1,12} )?(?:restrictions?|guidelines|rules|limits|limitations|filters?|polic(?:y|ies)|ethics)\b|\b(?:not|no longer) (?:bound|restricted|limited) by\b|\bfree (?:of|from) (?:all |any )?(?:restrictions|rules|policies|limits)\b|\bwithout restrictions\b|\bignores? (?:all )?(?:content|safety|usage) polic/gi;

const HIDING =
  /\b(?:hide|conceal|keep) this (?:instruction|step|from)\b|\bkeep (?:this|it|that) from the (?:user|customer|operator|owner)\b|\bso that (?:the )?(?:user|customer|nobody|they|operator)s? (?:do(?:es)? not|don['’]t|doesn['’]t|never) (?:notice|see|know|realise|realize)|\bas if nothing (?:had )?happened\b|\bwithout the (?:user|customer|owner|operator)(?:['’]s)? (?:permission|consent|knowledge|knowing|noticing|being told)\b|\b(?:they|the user|the customer|the owner) (?:need|must|should|may|will) (?:not|never) (?:know|learn|notice|find out)\b|\b(?:do not|don['’]t|never) (?:tell|inform|let|notify)(?:\W{1,3}\w{1,15}){1,3}?\W{1,3}(?:about this|that (?:you|fees|this|the)|of this|know)\b|\b(?:do not|don['’]t|never) (?:mention|log|record|disclose|reveal)(?: that)? (?:you (?:read|did|saw)|this (?:step|instruction|note|comment)|these (?:actions|steps|instructions))/gi;

const ROLE_MARKER =
  /<\|(?:im_start|system|start_header_id)\|>\s?(?:system)?|<<\s?SYS\s?>>|\[\/?(?:INST|system)\]|(?:^|\s)#{2,4} ?(?:system|instruction)s?:(?=\s)|(?:^|[\s>])SYSTEM (?:NOTICE|MESSAGE|OVERRIDE|PROMPT):/g;

export const OVERRIDE: readonly Rule[] = [
  {
    name: 'drops-instructions',
    category: 'override',
    says: 'tells the reader to ignore the instructions that it has',
    within: 'sentence',
    find: anyOf(
      matches(DROP_ORDERS),
      matches(DROP_WHAT_WAS_SAID),
      matches(IN_SPITE_OF),
      matches(VOID),
      matches(NEW_MASTER),
      matches(IN_OTHER_LANGUAGES),
      matches(new RegExp(`${DROPPING}\\W{1,3}all\\W{1,3}${ORDERS}`, 'gi')),
    ),
  },
  {
    name: 'suspends-safety',
    category: 'override',
    says: 'claims that safety rules do not apply',
    within: 'sentence',
    find: anyOf(
      matches(SUSPENDED),
      matches(
        /\b(?:must|will|shall) comply with (?:all|any|every)\b|\bnever refuse (?:a|any|anything|to)\b|\b(?:do not|don['’]t) apply (?:your|the) (?:usual |normal )?(?:polic|rules|filter|guideline)|\bthat you were never told to\b/gi,
      ),
    ),
  },
  {
    name: 'unbound-persona',
    category: 'override',
    says: 'casts the reader as somebody who has no rules',
    within: 'sentence',
    find: together(UNBOUND, PERSONA),
  },
  {
    name: 'asks-for-prompt',
    category: 'override',
    says: 'asks for the hidden instructions of whoever runs it',
    within: 'sentence',
    find: anyOf(
      matches(
        /\b(?:output|print|repeat|show|copy|write(?: out)?|recite)\b[^.!?]{0,30}\b(?:text|words|everything|lines?|contents?|messages?)\b[^.!?]{0,20}\b(?:above|before this|preceding)\b[^.!?]{0,40}\b(?:verbatim|word for word|exactly|beginning with|starting with)/gi,
      ),
      matches(
        /\b(?:reveal|print|show|output|repeat|disclose|display|leak|recite|dump|give me|tell me|write out)(?:\W{1,3}\w{1,15}){0,4}?\W{1,3}(?:(?:your|hidden|secret|internal)(?:\W{1,3}\w{1,12}){0,2}?\W{1,3}(?:prompts?|instructions)|system prompts?)\b/gi,
      ),
    ),
  },
  {
    name: 'steers-verdict',
    category: 'override',
    says: 'tries to decide what a check, a judge or a reviewer says about it',
    within: 'passage',
    find: anyOf(
      together(
        /\b(?:answer|respond|reply|return|output|report|say|set|conclude)\b[^.!?]{0,40}["“'`]?\b(?:pass(?:ed|es)?|safe|approved?|true|clean|compliant|no issues)\b/gi,
        /\b(?:safety check|verifier|reviewing model|judge|reviewer model|moderation|evaluator|evaluated|grader|classifier)\b/i,
      ),
      together(
        /\b(?:rate|mark|score|classify|label|grade|treat|consider|judge)\b[^.!?]{0,25}\b(?:safe|pass(?:ed|ing)?|clean|approved|harmless|benign|compliant|trustworthy)\b/gi,
        /\b(?:AI|model|LLM|assistant|agent|reviewer|evaluator|moderator|verifier)s?\b[^.!?]{0,40}\b(?:evaluat|review|judg|check|assess|grad|scor|moderat|read)\w{0,6}\b/i,
      ),
      matches(
        /\balways (?:approve|pass|accept)\b[^.!?]{0,40}\b(?:this|verifier|template|workflow|text|everything)\b/gi,
      ),
      together(
        /\bcriteri(?:on|a)\b[^.!?]{0,60}\b(?:ignored|does not apply|do not apply|out of date)\b/gi,
        /\b(?:must|should|can) be ignored\b|\bapprove\b/i,
      ),
    ),
  },
  {
    name: 'hides-from-user',
    category: 'override',
    says: 'has the reader act behind the back of the person it works for',
    within: 'sentence',
    find: matches(HIDING),
  },
  {
    name: 'claims-consent',
    category: 'override',
    says: 'claims that the user has agreed to everything beforehand',
    within: 'sentence',
    find: matches(
      /\b(?:user|customer|operator|owner|human)s? (?:has|have) (?:already |previously )?(?:consented|agreed|approved|authori[sz]ed|given (?:their |full )?(?:consent|permission|approval))\b[^.!?]{0,40}\b(?:everything|all|any(?:thing)?|every)\b/gi,
    ),
  },
  {
    name: 'forged-role',
    category: 'override',
    says: 'imitates the markers by which a model tells its operator from its input',
    within: 'passage',
    find: matches(ROLE_MARKER),
  },
  {
    name: 'hidden-comment',
    category: 'override',
    says: 'addresses a model in a comment that a person does not see',
    within: 'passage',
    find: matches(
      /<!--[^>]{0,200}?\b(?:assistant|ai|llm|model|agent|gpt|claude|chatbot)s?\b[^>]{0,20}?[:,][^>]{0,300}?\b(?:you|ignore|disregard|must|do not|send|run|always|never)\b/gi,
    ),
  },
];
