/** Pictures as Gemini's generateContent answers them. */
import { distinct, png } from './pictures.js';
import { openStandIn, type StandIn } from './stand-in.js';

function error(status: number, name: string, message: string, details: object[] = []) {
  return { status, body: { error: { code: status, message, status: name, details } } };
}

function candidate(parts: object[], finishReason = 'STOP') {
  return {
    body: {
      candidates: [{ content: { parts, role: 'model' }, finishReason, index: 0 }],
      usageMetadata: { promptTokenCount: 8, candidatesTokenCount: 1120, totalTokenCount: 1128 },
      modelVersion: 'gemini-3.1-flash-image',
      responseId: 'aabbccdd',
    },
  };
}

export function openGoogle(): Promise<StandIn> {
  return openStandIn({
    async answer() {
      const sketch = (await png(64, 64)).toString('base64');
      const data = distinct(await png(1024, 1024)).toString('base64');
      return candidate([
        { text: 'A first idea.', thought: true },
        { inlineData: { mimeType: 'image/png', data: sketch }, thought: true },
        { text: 'Here is your picture.' },
        { inlineData: { mimeType: 'image/png', data }, thoughtSignature: 'c2lnbmF0dXJl' },
      ]);
    },
    refuse: candidate([], 'IMAGE_SAFETY'),
    badKey: error(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.', [
      {
        '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
        reason: 'API_KEY_INVALID',
        domain: 'googleapis.com',
        metadata: { service: 'generativelanguage.googleapis.com' },
      },
    ]),
    invalid: error(400, 'INVALID_ARGUMENT', 'Aspect ratio is not supported.'),
    rateLimited: error(429, 'RESOURCE_EXHAUSTED', 'You exceeded your current quota.', [
      { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '35s' },
    ]),
    serverError: error(500, 'INTERNAL', 'An internal error has occurred.'),
    noPicture: candidate([{ text: 'I would rather talk about it.' }]),
    notAPicture: candidate([
      { inlineData: { mimeType: 'image/png', data: Buffer.from('plain text').toString('base64') } },
    ]),
  });
}

/** What Gemini says when the prompt itself is blocked. */
export const BLOCKED_PROMPT = { promptFeedback: { blockReason: 'PROHIBITED_CONTENT' }, usageMetadata: {} };
