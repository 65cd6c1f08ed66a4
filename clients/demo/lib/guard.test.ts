import { expect, test } from 'vitest';
import { fromThisSite, readJson } from './guard';

const URL_HERE = 'http://shop.example:3000/api';

function headers(fields: Record<string, string>): Headers {
  return new Headers({ host: 'shop.example:3000', ...fields });
}

test.each([
  ['no browser', {}],
  ['the page itself', { origin: 'http://shop.example:3000', 'sec-fetch-site': 'same-origin' }],
  ['an old browser', { origin: 'http://shop.example:3000' }],
  [
    'a proxy that drops the port',
    {
      host: 'shop.example',
      origin: 'http://shop.example:3000',
      'sec-fetch-site': 'same-origin',
    },
  ],
  [
    'an origin that was allowed',
    { origin: 'https://also.example', 'sec-fetch-site': 'cross-site' },
  ],
])('lets in %s', (_, fields) => {
  expect(fromThisSite(headers(fields), ['https://also.example'])).toBe(true);
});

test.each([
  ['another site', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
  ['another site, by its fetch metadata alone', { 'sec-fetch-site': 'cross-site' }],
  ['another site, by its origin alone', { origin: 'https://evil.example' }],
  ['another host of the same site', { 'sec-fetch-site': 'same-site' }],
  ['another port', { origin: 'http://shop.example:4000' }],
  [
    'another port behind a proxy that drops it',
    {
      host: 'shop.example',
      origin: 'http://shop.example:4000',
      'sec-fetch-site': 'same-site',
    },
  ],
  [
    'another port, said by nobody but the origin',
    {
      host: 'shop.example',
      origin: 'http://shop.example:4000',
    },
  ],
  ['a sandbox', { origin: 'null' }],
  [
    'an origin that contradicts its metadata',
    {
      origin: 'https://evil.example',
      'sec-fetch-site': 'same-origin',
    },
  ],
])('keeps out %s', (_, fields) => {
  expect(fromThisSite(headers(fields))).toBe(false);
});

function post(body: BodyInit | null, type?: string): Request {
  const fields: Record<string, string> = type === undefined ? {} : { 'content-type': type };
  const init = { method: 'POST', body, headers: fields, duplex: 'half' };
  const request = new Request(URL_HERE, init);
  if (type === undefined) {
    request.headers.delete('content-type');
  }
  return request;
}

async function refusal(request: Request): Promise<[number, string]> {
  const result = await readJson(request);
  if (!(result instanceof Response)) {
    throw new Error(`let in: ${JSON.stringify(result)}`);
  }
  const { code, seats } = await result.json();
  expect(seats).toEqual([]);
  return [result.status, code];
}

test('reads a JSON object, and takes no body for an empty one', async () => {
  expect(await readJson(post('{"a":[1]}', 'application/json'))).toEqual({ a: [1] });
  expect(await readJson(post('{"a":"é"}', 'Application/JSON; charset=utf-8'))).toEqual({ a: 'é' });
  expect(await readJson(post(null))).toEqual({});
});

test.each([
  ['text/plain'],
  ['application/x-www-form-urlencoded'],
  ['application/jsonp'],
  [undefined],
])('refuses a body of type %s', async (type) => {
  expect(await refusal(post('{"a":1}', type))).toEqual([415, 'JSON_ONLY']);
});

test.each(['{', '[]', '"a"', 'null', '1', '{"a":1}x'])('refuses %s', async (text) => {
  expect(await refusal(post(text, 'application/json'))).toEqual([400, 'INVALID_FIELD']);
});

test('takes 16 KiB and no more, whether or not the length was said', async () => {
  const most = JSON.stringify({ a: 'x'.repeat(16 * 1024 - 8) });
  expect(most.length).toBe(16 * 1024);
  expect(await readJson(post(most, 'application/json'))).toHaveProperty('a');
  expect(await refusal(post(`${most} `, 'application/json'))).toEqual([413, 'BODY_TOO_LARGE']);
  const long = post('{}', 'application/json');
  long.headers.set('content-length', '16385');
  expect(await refusal(long)).toEqual([413, 'BODY_TOO_LARGE']);
});

test('stops reading a body that never ends', async () => {
  let sent = 0;
  const endless = new ReadableStream({
    pull(controller) {
      sent += 1024;
      controller.enqueue(new Uint8Array(1024));
    },
  });
  expect(await refusal(post(endless, 'application/json'))).toEqual([413, 'BODY_TOO_LARGE']);
  expect(sent).toBeLessThan(32 * 1024);
});
