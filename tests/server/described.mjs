// Does an answer agree with the API's description (shells/server/openapi.json)? Asked of every answer in these tests.
import {readFileSync} from 'node:fs';

export const description = JSON.parse(readFileSync(new URL('../../shells/server/openapi.json', import.meta.url)));

const operations = Object.entries(description.paths).map(([path, methods]) => ({
  path, methods, pattern: new RegExp(`^${path.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{\w+\}/g, '[^/]+')}$`)}));

const types = {
  object: (value) => typeof value === 'object' && value !== null && !Array.isArray(value), array: Array.isArray,
  string: (value) => typeof value === 'string', boolean: (value) => typeof value === 'boolean', null: (value) => value === null,
  integer: Number.isInteger, number: (value) => typeof value === 'number',
};
const understood = new Set(['$ref', 'type', 'required', 'properties', 'additionalProperties', 'items', 'minimum', 'format', 'enum', 'description', 'oneOf']);

/// The first thing in which a value is not what the schema says; null if it is. Members that are not described count, too.
export function difference(schema, value, at = 'the body') {
  for (const word of Object.keys(schema)) if (!understood.has(word)) throw new Error(`described.mjs does not know ${word}`);
  if (schema.$ref) return difference(description.components.schemas[schema.$ref.split('/').at(-1)], value, at);
  if (schema.oneOf) return schema.oneOf.some((one) => difference(one, value, at) === null) ? null : `${at} is none of the kinds described`;
  const kinds = [schema.type ?? []].flat();
  if (kinds.length > 0 && !kinds.some((kind) => types[kind](value))) return `${at} is no ${kinds.join(' or ')}`;
  if (schema.enum && !schema.enum.includes(value)) return `${at} is none of ${schema.enum}`;
  if (schema.minimum !== undefined && value < schema.minimum) return `${at} is below ${schema.minimum}`;
  if (Array.isArray(value) && schema.items) {
    return value.map((one, i) => difference(schema.items, one, `${at}[${i}]`)).find((found) => found !== null) ?? null;
  }
  if (!types.object(value)) return null;
  for (const name of schema.required ?? []) if (!(name in value)) return `${at} has no "${name}"`;
  for (const [name, member] of Object.entries(value)) {
    const described = schema.properties?.[name];
    if (described) {
      const found = difference(described, member, `${at}.${name}`);
      if (found !== null) return found;
    } else if (schema.properties && !schema.additionalProperties) {
      return `${at} has "${name}", which is not described`;
    }
  }
  return null;
}

/// Throws if the answer to a request is not one that the description allows. Addresses that are not described are nobody's promise.
export function checkAnswer(method, target, answer) {
  const path = target.split('?')[0];
  const found = operations.find(({pattern}) => pattern.test(path));
  const operation = found?.methods[method.toLowerCase()];
  if (!operation || answer.status >= 500) return;
  const name = `${answer.status} of ${method} ${found.path}`;
  const response = operation.responses[answer.status];
  if (!response) throw new Error(`${name} is not in openapi.json`);
  const type = (answer.headers.get('content-type') ?? '').split(';')[0];
  if (!response.content) return;
  const content = response.content[type];
  if (!content) throw new Error(`${name} is ${type || 'nothing'}, described as ${Object.keys(response.content)}`);
  if (type !== 'application/json') return;
  const wrong = difference(content.schema, answer.json);
  if (wrong !== null) throw new Error(`${name}: ${wrong}: ${answer.text.slice(0, 300)}`);
}
