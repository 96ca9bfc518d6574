/**
 * Whether a file of a package is a native part for another platform: packages that bring their binaries ready-made for
 * all of them lay these out as `bin/napi-v<N>/<platform>/<arch>/`, in Node's own words.
 */
export const isForeignBinary = (
  file: string,
  { platform, arch }: { readonly platform: string; readonly arch: string } = process,
): boolean => {
  const [, forPlatform, forArch] = /[\\/]bin[\\/]napi-v\d+[\\/](\w+)(?:[\\/](\w+))?/.exec(file) ?? [];
  if (forPlatform === undefined) return false;
  return forPlatform !== platform || (forArch !== undefined && forArch !== arch);
};
