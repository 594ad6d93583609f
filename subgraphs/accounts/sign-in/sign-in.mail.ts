import type { Mail } from '../../../platform/mail.js';

function duration(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1) return `${seconds} seconds`;
  return minutes === 1 ? '1 minute' : `${minutes} minutes`;
}

export interface CodeMail {
  to: string;
  code: string;
  /** Whether the address has an account already. */
  known: boolean;
  validSeconds: number;
  publicUrl: string;
}

export function codeMail({ to, code, known, validSeconds, publicUrl }: CodeMail): Mail {
  const greeting = known
    ? `Welcome back! Here is the code to sign in to Darkroom at ${publicUrl}:`
    : `Welcome! Here is the code that makes your Darkroom account at ${publicUrl}:`;
  return {
    to,
    // Subjects show on locked screens and in logs: the code stays out of them.
    subject: known ? 'Your Darkroom sign-in code' : 'Your Darkroom registration code',
    text: [
      'Hello,',
      '',
      greeting,
      '',
      code,
      '',
      `It is good for ${duration(validSeconds)} and can be used once.`,
      'If it was not you who asked for it, ignore this mail: nothing happens without the code.',
      '',
    ].join('\n'),
  };
}
