import { Invalid } from '@millrace/errors';

/** Where blobs are kept in an object store. */
export interface S3Location {
  readonly bucket: string;
  /** Beginning of every key: empty, or ending in `/`. */
  readonly prefix: string;
  /** Address of a server other than Amazon's. */
  readonly endpoint?: string;
  readonly region?: string;
  /** The bucket is named in the path instead of in the host. */
  readonly pathStyle: boolean;
}

const field = 'MILLRACE_BLOBS_URL';
const bucketPattern = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const prefixPattern = /^[A-Za-z0-9!_.*'()-]+(\/[A-Za-z0-9!_.*'()-]+)*$/;
const parameters = new Set(['endpoint', 'region', 'pathStyle']);

/**
 * Reads `s3://bucket/prefix?endpoint=https://host&region=eu-central-1&pathStyle=true`.
 * @throws Invalid without repeating the text, which may hold a secret.
 */
export const parseS3Location = (text: string): S3Location => {
  if (!URL.canParse(text) || new URL(text).protocol !== 's3:')
    throw Invalid.field(field, 'is not an s3:// address');
  const url = new URL(text);
  if (url.username !== '' || url.password !== '' || url.port !== '' || url.hash !== '') {
    throw Invalid.field(field, 'names a bucket only, such as s3://bucket/prefix', {
      hint: 'Credentials come from the environment, a file or the machine, as with every AWS client.',
    });
  }
  for (const name of url.searchParams.keys()) {
    if (!parameters.has(name)) throw Invalid.field(field, `has the unknown parameter ${name}`);
  }
  const bucket = url.hostname;
  if (!bucketPattern.test(bucket))
    throw Invalid.field(field, 'has a name of a bucket that S3 does not allow');
  const prefix = url.pathname.replace(/^\/+|\/+$/g, '');
  if (prefix !== '' && !prefixPattern.test(prefix)) {
    throw Invalid.field(field, "has a prefix with other characters than letters, digits and /!_.*'()-");
  }
  const endpoint = url.searchParams.get('endpoint');
  const region = url.searchParams.get('region');
  return {
    bucket,
    prefix: prefix === '' ? '' : `${prefix}/`,
    pathStyle: readPathStyle(url.searchParams.get('pathStyle')),
    ...(endpoint === null ? {} : { endpoint: readEndpoint(endpoint) }),
    ...(region === null ? {} : { region }),
  };
};

const readPathStyle = (text: string | null): boolean => {
  if (text === null || text === 'false') return false;
  if (text === 'true') return true;
  throw Invalid.field(field, 'has a pathStyle that is neither true nor false');
};

const readEndpoint = (text: string): string => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:';
  if (!isHttp || url.username !== '' || url.password !== '') {
    throw Invalid.field(field, 'has an endpoint that is not http://host or https://host');
  }
  return text;
};
