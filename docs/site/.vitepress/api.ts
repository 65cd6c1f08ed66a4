// The API's reference as Markdown, from the comments in proto/seatlock/v1.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import {
  createFileRegistry,
  type DescEnum,
  type DescField,
  type DescFile,
  type DescMessage,
  type DescService,
  fromBinary,
  ScalarType,
} from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { getComments, getSyntaxComments } from '@bufbuild/protoplugin';

const FOLDER = 'seatlock/v1/';

/** Services first, then messages and enums, each under a heading of its own. */
export function apiReference(root: string): string {
  const buf = join(root, 'node_modules/.bin/buf');
  const image = execFileSync(buf, ['build', '-o', '-#format=binpb'], { cwd: root });
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, image));
  const files = [...registry.files].filter(({ name }) => name.startsWith(FOLDER));
  const parts = [
    ...files.flatMap((file) => file.services.map(serviceText)),
    '## Messages',
    ...files.flatMap((file) => file.messages.flatMap(withNested).map(messageText)),
    '## Enums',
    ...files.flatMap((file) => file.enums.map(enumText)),
    '## What holds everywhere',
    ...files.map(fileText),
  ];
  return `${parts.join('\n\n')}\n`;
}

function fileText(file: DescFile): string {
  return `\`${file.name}.proto\`: ${plain(getSyntaxComments(file).leading)}`;
}

function serviceText(service: DescService): string {
  const methods = service.methods.map((method) => {
    const stream = method.methodKind === 'server_streaming' ? 'stream of ' : '';
    const types = `${typeLink(method.input)} → ${stream}${typeLink(method.output)}`;
    return [`### ${method.name}`, plain(getComments(method).leading), types].join('\n\n');
  });
  const about = plain(getComments(service).leading);
  return [`## ${service.name}`, about, ...methods].join('\n\n');
}

const withNested = (message: DescMessage): DescMessage[] => [
  message,
  ...message.nestedMessages.flatMap(withNested),
];

function messageText(message: DescMessage): string {
  const rows = message.fields.map((field) =>
    row(`\`${field.name}\``, fieldType(field), fieldAbout(field)),
  );
  const table = rows.length === 0 ? 'No fields.' : tableOf(['field', 'type', 'meaning'], rows);
  return [`### ${message.name}`, plain(getComments(message).leading), table].join('\n\n');
}

function enumText(type: DescEnum): string {
  const rows = type.values.map((value) =>
    row(`\`${value.name}\``, String(value.number), plain(getComments(value).leading)),
  );
  const table = tableOf(['value', 'number', 'meaning'], rows);
  return [`### ${type.name}`, plain(getComments(type).leading), table].join('\n\n');
}

function fieldAbout(field: DescField): string {
  const about = plain(getComments(field).leading);
  return field.oneof === undefined ? about : `One of \`${field.oneof.name}\`. ${about}`;
}

function fieldType(field: DescField): string {
  switch (field.fieldKind) {
    case 'map':
      return `map of ${scalar(field.mapKey)} to ${valueType(field)}`;
    case 'list':
      return `repeated ${valueType(field)}`;
    default:
      return `${field.proto.proto3Optional ? 'optional ' : ''}${valueType(field)}`;
  }
}

function valueType(field: DescField): string {
  if (field.message) return typeLink(field.message);
  if (field.enum) return typeLink(field.enum);
  return scalar(field.scalar as ScalarType);
}

const scalar = (type: ScalarType) => ScalarType[type].toLowerCase();

function typeLink(type: DescMessage | DescEnum): string {
  const ours = type.file.name.startsWith(FOLDER);
  return ours ? `[${type.name}](#${type.name.toLowerCase()})` : `\`${type.typeName}\``;
}

const row = (...cells: string[]) =>
  `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;

function tableOf(head: string[], rows: string[]): string {
  return [row(...head), row(...head.map(() => '---')), ...rows].join('\n');
}

/** A comment as one paragraph, of which nothing is taken for Markdown, HTML or Vue but `code`. */
function plain(comment: string | undefined): string {
  const words = (comment ?? '').trim().replace(/\s*\n\s*/g, ' ');
  return words
    .split(/(`[^`]*`)/)
    .map((part) => (part.startsWith('`') ? part : part.replace(/[<>*_[\]{}\\]/g, '\\$&')))
    .join('');
}
