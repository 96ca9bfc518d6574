import { filesUnder, type PackageFiles } from './manifest.ts';

/** Where Millrace's files of a package lie that was imported: the directory that MLflow wrote stays as it is. */
export const importedDirectory = 'millrace';

/** Millrace's own files of a package (`model.json`, `signature.json`, …) by their bare names. */
export const ownFiles = (files: PackageFiles): PackageFiles =>
  files.has(`${importedDirectory}/model.json`) ? filesUnder(files, importedDirectory) : files;
