/** A server that speaks OpenAI's embeddings, and understands a handful of subjects. */
import { type Dialect, openStandIn, type StandIn } from '../providers/stand-in.js';

const SUBJECTS = [
  /money|invoice|tax|salary|budget|bill/g,
  /sport|gym|muscle|running|football/g,
  /food|cook|dinner|recipe|kitchen/g,
  /software|code|bug|server|database/g,
  /travel|holiday|hotel|flight|beach/g,
];

function embeddingOf(text: string): number[] {
  // A little of something else, so that no text means nothing.
  return [...SUBJECTS.map((subject) => text.match(subject)?.length ?? 0), 0.2];
}

const failed = { status: 500, body: { error: { message: 'down' } } };

const dialect: Dialect = {
  answer: ({ json }) => ({
    body: {
      object: 'list',
      model: json['model'],
      data: (json['input'] as string[]).map((text, index) => ({
        object: 'embedding',
        index,
        embedding: embeddingOf(text),
      })),
    },
  }),
  refuse: failed,
  badKey: { ...failed, status: 401 },
  invalid: { ...failed, status: 400 },
  rateLimited: { ...failed, status: 429 },
  serverError: failed,
  noPicture: { body: { object: 'list', data: [] } },
  notAPicture: { body: { object: 'list', data: [{ index: 0, embedding: 'AAAA' }] } },
};

export function openEmbeddingsServer(): Promise<StandIn> {
  return openStandIn(dialect);
}
