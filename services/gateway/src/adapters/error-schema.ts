import type { JsonSchema } from '@millrace/rest';

/** Body of every error answer. */
export const errorSchema: JsonSchema = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'message'],
      properties: {
        code: { type: 'string', description: 'Code of the error taxonomy: invalid, not_found, conflict …' },
        message: { type: 'string' },
        hint: { type: 'string', description: 'What can be done about it.' },
        violations: {
          type: 'array',
          items: { type: 'object', properties: { path: { type: 'string' }, message: { type: 'string' } } },
        },
        details: { type: 'object', additionalProperties: { type: 'string' } },
      },
    },
  },
};

/** The answer to anything that goes wrong. */
export const errorResponse = {
  description: 'What went wrong; the HTTP status follows from its code.',
  content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
};
