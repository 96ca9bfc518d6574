import { describe, expect, it } from 'vitest';
import { plainReason } from './uv-installer.ts';

describe('the reason of a refusal', () => {
  it('is what uv says, without its frame', () => {
    const stderr = `Using CPython 3.11.7
  × No solution found when resolving dependencies:
  ╰─▶ Because you require six>=2 and only six<=1.17.0 is
      available, we can conclude that your requirements are unsatisfiable.

      hint: something else
`;
    expect(plainReason(stderr)).toBe(
      'Because you require six>=2 and only six<=1.17.0 is available, we can conclude that your requirements are unsatisfiable.',
    );
  });

  it('is read in its newer form too', () => {
    const stderr =
      'error: No solution found when resolving dependencies\n  cause: Because a needs b, it fails.\n';
    expect(plainReason(stderr)).toBe('Because a needs b, it fails.');
  });

  it('of a package that is not built is the last error of its build', () => {
    const stderr = `   Building mysqlclient==2.2.0
error: Failed to build \`mysqlclient==2.2.0\`
  cause: The build backend returned an error
         [stderr]
           File "<string>", line 27, in find_package_name
         Exception: Can not find valid pkg-config name.
         Specify MYSQLCLIENT_CFLAGS and MYSQLCLIENT_LDFLAGS env vars manually

hint: Build failures usually indicate a problem
`;
    expect(plainReason(stderr)).toBe(
      '`mysqlclient==2.2.0` could not be built: Exception: Can not find valid pkg-config name.',
    );
  });

  it('that has another form is its end', () => {
    expect(plainReason('thread panicked\n')).toBe('thread panicked');
  });
});
