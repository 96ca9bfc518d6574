import type { Command } from 'commander';

/** The reference of the command line as Markdown: every command with its arguments and options. */
export const reference = (program: Command): string =>
  [
    '# The command line',
    '',
    '<!-- Made from the program by `npx vitest run libs/cli/src/reference.unit.spec.ts -u`; do not edit. -->',
    '',
    program.description(),
    '',
    ...optionTable('Options of every command', program),
    '`--json` prints one JSON document on standard output (`events tail`: one per line), and errors as JSON on standard',
    'error. Commands find their gateway by `--url`, else `MILLRACE_URL`, else the Millrace that runs on the data directory.',
    '',
    '## Exit codes',
    '',
    ...exitCodes.map(([code, meaning]) => `- \`${code}\` ${meaning}`),
    '',
    '## Commands',
    '',
    ...program.commands.flatMap((command) => entry(command as Command, 'millrace')),
  ].join('\n');

const exitCodes: readonly (readonly [number, string])[] = [
  [0, 'done; also when a run waits for an approval'],
  [1, 'a defect of Millrace'],
  [2, 'wrong input: an unknown command or option, a bad recipe, data that breaks its contract'],
  [3, 'not found'],
  [4, 'somebody was faster, or it exists already'],
  [5, 'refused by a gate, a policy or the state of things; `doctor` found something'],
  [6, 'not allowed'],
  [7, 'a limit is reached (disk, size)'],
  [8, 'a service or the gateway does not answer'],
  [9, 'timed out'],
  [130, 'cancelled'],
];

const entry = (command: Command, parent: string): string[] => {
  const name = `${parent} ${command.name()}`;
  if (command.commands.length > 0) {
    const children = command.commands.flatMap((child) => entry(child as Command, name));
    return [`### ${name}`, '', sentence(command.description()), '', ...children];
  }
  const args = command.registeredArguments.map((item) => {
    const text = `${item.name()}${item.variadic ? '...' : ''}`;
    return item.required ? ` <${text}>` : ` [${text}]`;
  });
  return [
    `### ${name}${args.join('')}`,
    '',
    sentence(command.description()),
    '',
    ...optionTable(undefined, command),
  ];
};

const sentence = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;

const optionTable = (title: string | undefined, command: Command): string[] => {
  if (command.options.length === 0) return [];
  const rows = command.options.map(({ flags, description, defaultValue, mandatory }) => {
    const notes = [
      ...(mandatory ? ['required'] : []),
      ...(defaultValue === undefined || typeof defaultValue === 'boolean' ? [] : [`default ${defaultValue}`]),
    ];
    return `| \`${flags}\` | ${description.replaceAll('|', '\\|')}${notes.length === 0 ? '' : ` (${notes.join(', ')})`} |`;
  });
  return [`| ${title ?? 'option'} | |`, '| --- | --- |', ...rows, ''];
};
