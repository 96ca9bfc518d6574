import type { KafkaState } from '@millrace/contracts/bridge';
import type { Command } from 'commander';
import pc from 'picocolors';
import { action } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { duration, time, word } from '../format.ts';
import { plain } from '../output.ts';

const status = async (context: CommandContext): Promise<void> => {
  const { kafka } = await (await context.client()).bridge.getKafkaState({});
  context.output.result(kafka, (found) => found !== undefined && show(context, found));
};

const show = ({ output }: CommandContext, kafka: KafkaState): void => {
  const forwarding = word(kafka.forwarding, 'KAFKA_FORWARDING');
  if (kafka.forwarding === 'KAFKA_FORWARDING_OFF') {
    output.write('Kafka: off (MILLRACE_KAFKA_BROKERS is not set)');
    return;
  }
  const waiting = kafka.lag === 0 ? '' : `, the oldest for ${duration(kafka.lagSeconds * 1000)}`;
  output.write(`Kafka: ${pc.bold(forwarding)}, ${plain(kafka.brokers.join(', '))}`);
  output.write(`${kafka.lag} events wait${waiting}; ${kafka.rejected} were rejected`);
  output.table(
    ['TOPIC', 'PARTITIONS', 'FORWARDED', 'LAST', 'LAST TYPE'],
    kafka.topics.map((topic) => [
      topic.topic,
      topic.partitions === 0 ? '' : String(topic.partitions),
      String(topic.forwarded),
      time(topic.lastForwardedAt),
      topic.lastEventType,
    ]),
    'no topics yet',
  );
  for (const { at, message } of kafka.errors.slice(0, 5))
    output.write(pc.yellow(plain(`${time(at)} ${message}`)));
};

export const bridgeCommands = (program: Command): void => {
  const group = program.command('bridge').description('events to other systems');
  group
    .command('status', { isDefault: true })
    .description('what is forwarded to Kafka, and how far')
    .action(action(status));
};
