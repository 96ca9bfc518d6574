import { describe, expect, test } from 'vitest';
import { parseS3Location } from './s3-location.ts';

describe('an address of S3', () => {
  test('names bucket, prefix and what differs from Amazon', () => {
    expect(parseS3Location('s3://models')).toEqual({ bucket: 'models', prefix: '', pathStyle: false });
    expect(
      parseS3Location(
        's3://models/team/a/?endpoint=http://127.0.0.1:9000&region=eu-central-1&pathStyle=true',
      ),
    ).toEqual({
      bucket: 'models',
      prefix: 'team/a/',
      pathStyle: true,
      endpoint: 'http://127.0.0.1:9000',
      region: 'eu-central-1',
    });
  });

  test.each([
    's3://',
    's3://UPPER',
    's3://key:secret@bucket',
    's3://bucket:80',
    's3://bucket/a/../b?x=1',
    's3://bucket/a b',
    's3://bucket?pathstyle=true',
    's3://bucket?pathStyle=yes',
    's3://bucket?endpoint=ftp://host',
    's3://bucket?endpoint=http://key:secret@host',
    'http://bucket',
  ])('is refused as %s, without repeating what may be a secret', (text) => {
    const parse = () => parseS3Location(text);
    expect(parse).toThrow(/^MILLRACE_BLOBS_URL: /);
    expect(parse).not.toThrow(/secret/);
  });
});
