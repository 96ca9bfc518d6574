import type { MillraceClient } from '@millrace/client';
import { RevisionState } from '@millrace/contracts/deployment';
import { errorFromJson, NotFound } from '@millrace/errors';
import { expect, it } from 'vitest';
import { deployAndWait } from './deploy-and-wait.ts';

const command = { endpoint: 'houses', model: 'houses', modelVersion: 2 };
const revisionOf = (state: RevisionState, error = '') => ({ ...command, number: 3, state, error });

/** A client whose deployment takes too long, and what the endpoint then is from one question to the next. */
const slowClient = (...answers: readonly ReturnType<typeof revisionOf>[]): MillraceClient => {
  const left = [...answers];
  return {
    deployment: {
      deploy: async () => {
        // As it comes over the wire.
        throw errorFromJson({ code: 'timed_out', message: '25 s are over' });
      },
      getEndpoint: async () => ({
        endpoint: { name: 'houses' },
        revisions: [
          { ...revisionOf(RevisionState.REVISION_STATE_FAILED, 'of yesterday'), number: 1 },
          { ...revisionOf(RevisionState.REVISION_STATE_READY), number: 2, modelVersion: 1 },
          ...left.splice(0, 1),
        ],
      }),
    },
  } as unknown as MillraceClient;
};

const { REVISION_STATE_STARTING: starting, REVISION_STATE_READY: ready } = RevisionState;

it('a deployment that takes longer than a call is waited for, and says so', async () => {
  const notes: string[] = [];
  const client = slowClient(revisionOf(starting), revisionOf(ready));
  const { revision } = await deployAndWait(client, command, (text) => notes.push(text));
  expect(revision).toMatchObject({ number: 3, state: ready });
  expect(notes).toEqual([expect.stringContaining('still being loaded')]);
});

it('a revision that does not come up meanwhile is told with its error', async () => {
  const failed = revisionOf(RevisionState.REVISION_STATE_FAILED, 'its pickle is broken');
  const deployed = deployAndWait(slowClient(revisionOf(starting), failed), command, () => {});
  await expect(deployed).rejects.toMatchObject({
    code: 'failed_precondition',
    message: 'revision 3 of houses did not come up: its pickle is broken',
  });
});

it('any other failure is what it is', async () => {
  const client = {
    deployment: {
      deploy: async () => {
        throw new NotFound('there is no model version houses/2');
      },
    },
  } as unknown as MillraceClient;
  await expect(deployAndWait(client, command, () => {})).rejects.toThrow('no model version houses/2');
});
