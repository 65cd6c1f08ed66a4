// docs/asyncapi.yaml as JSON, and validators of its messages. The file leaves objects open, for
// receivers ignore what they do not know; here they are closed, so that a field that the edge or
// the client sends and the file does not name is noticed.
import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';
import { parse } from 'yaml';
import { repositoryPath } from './paths.js';

/** Any JSON value of the file. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type JsonObject = { [name: string]: Json };

export const CONTRACT_FILE = repositoryPath('docs/asyncapi.yaml');

/** The file, parsed. */
export function readContract(): JsonObject {
  return asObject(parse(readFileSync(CONTRACT_FILE, 'utf8')));
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object that `value` is, or an error. */
export function asObject(value: Json | undefined): JsonObject {
  if (!isObject(value)) throw new Error(`not an object: ${JSON.stringify(value)}`);
  return value;
}

/** What stands in the file behind a reference such as `#/components/schemas/id`. */
export function resolveReference(contract: JsonObject, reference: string): Json | undefined {
  if (!reference.startsWith('#/')) throw new Error(`not a reference into the file: ${reference}`);
  let value: Json | undefined = contract;
  for (const name of reference.slice(2).split('/')) {
    value = isObject(value) ? value[name] : undefined;
  }
  return value;
}

/** Every `$ref` of the file. */
export function referencesIn(value: Json): string[] {
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  if (!isObject(value)) return [];
  const own = typeof value.$ref === 'string' ? [value.$ref] : [];
  return [...own, ...Object.values(value).flatMap(referencesIn)];
}

// A schema of the file as plain JSON Schema, in which every object refuses fields that it does not
// name. The file's schemas become definitions.
function closed(value: Json): Json {
  if (Array.isArray(value)) return value.map(closed);
  if (!isObject(value)) return value;
  const copy = Object.fromEntries(Object.entries(value).map(([name, v]) => [name, closed(v)]));
  if (copy.type === 'object' && isObject(copy.properties)) copy.additionalProperties = false;
  if (typeof copy.$ref === 'string')
    copy.$ref = copy.$ref.replace('components/schemas', 'definitions');
  return copy;
}

/** Which side sends a message: the file says it by `receive` and `send` of its operations. */
export type Sender = 'client' | 'edge';

export interface MessageRule {
  readonly name: string;
  readonly sender: Sender;
  readonly validate: ValidateFunction;
}

function sendersOf(contract: JsonObject): Map<string, Sender> {
  const senders = new Map<string, Sender>();
  const name = (message: Json) => String(asObject(message).$ref).split('/').pop() ?? '';
  for (const operation of Object.values(asObject(contract.operations))) {
    const { action, messages, reply } = asObject(operation);
    const sender = action === 'receive' ? 'client' : 'edge';
    for (const message of messages as Json[]) senders.set(name(message), sender);
    const answers = isObject(reply) ? (reply.messages as Json[]) : [];
    for (const message of answers) senders.set(name(message), 'edge');
  }
  return senders;
}

// What ajv's strict mode would have and the file does not need: types said again within `if`, and
// tuples of one length.
const LAX = { strictTypes: false, strictRequired: false, strictTuples: false };

/** The rules of all messages by their `type`. Throws where the file is inconsistent. */
export function messageRules(contract: JsonObject = readContract()): Map<string, MessageRule> {
  const { messages, schemas } = asObject(contract.components);
  const definitions = closed(asObject(schemas));
  const ajv = new Ajv({ allErrors: true, strict: true, ...LAX });
  const rules = new Map<string, MessageRule>();
  const senders = sendersOf(contract);
  for (const [name, message] of Object.entries(asObject(messages))) {
    const sender = senders.get(name);
    if (!sender) throw new Error(`${CONTRACT_FILE}: no operation has the message ${name}`);
    const payload = asObject(closed(asObject(asObject(message).payload)));
    rules.set(name, { name, sender, validate: ajv.compile({ ...payload, definitions }) });
  }
  return rules;
}
