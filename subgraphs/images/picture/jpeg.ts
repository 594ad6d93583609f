/** JPEG (ITU T.81): marker segments and scans, from SOI to EOI. */
import { checkDimensions, type Dimensions, type Format, invalidPicture, type Want } from './reading.js';

const SOI = 0xd8;
const EOI = 0xd9;
const SOS = 0xda;
const TEM = 0x01;
const APP2 = 0xe2;
/** Baseline, extended, progressive, and the last two with arithmetic coding: what decoders decode. */
const FRAMES = new Set([0xc0, 0xc1, 0xc2, 0xc9, 0xca]);
const OTHER_FRAMES = new Set([0xc3, 0xc5, 0xc6, 0xc7, 0xcb, 0xcd, 0xce, 0xcf]);

export function* jpeg(): Format {
  yield { take: 2 };
  const { dimensions, multiple } = yield* picture();
  // Phones append further whole pictures, such as gain maps, and announce them (CIPA DC-007). Those are not foreign.
  while (multiple) {
    const next = yield { take: 2, orEnd: true };
    if (next.length === 0) break;
    if (next.readUInt16BE() !== 0xff00 + SOI) throw invalidPicture('foreign data follows it');
    yield* picture();
  }
  return dimensions;
}

/** From behind SOI to EOI. */
function* picture(): Generator<Want, { dimensions: Dimensions; multiple: boolean }, Buffer> {
  let dimensions: Dimensions | null = null;
  let scans = 0;
  let multiple = false;
  let marker = yield* nextMarker();
  for (;;) {
    if (marker === EOI) {
      if (!dimensions || scans === 0) throw invalidPicture('the JPEG holds no pixels');
      return { dimensions, multiple };
    }
    if (marker === SOS) {
      if (!dimensions) throw invalidPicture('a scan of the JPEG has no frame');
      yield { skip: yield* segmentLength() };
      scans += 1;
      marker = yield* scanEnd();
      continue;
    }
    if (FRAMES.has(marker)) {
      if (dimensions) throw invalidPicture('a JPEG has one frame');
      dimensions = yield* frame();
    } else if (OTHER_FRAMES.has(marker)) {
      throw invalidPicture('this kind of JPEG is not supported');
    } else if (marker === APP2) {
      multiple = (yield* multiPicture()) || multiple;
    } else if (marker === SOI || marker === 0 || (marker >= 0xd0 && marker <= 0xd7)) {
      throw invalidPicture('the markers of the JPEG are out of order');
    } else if (marker !== TEM) {
      yield { skip: yield* segmentLength() };
    }
    marker = yield* nextMarker();
  }
}

function* nextMarker(): Generator<Want, number, Buffer> {
  const head = yield { take: 2 };
  if (head[0] !== 0xff) throw invalidPicture('a marker of the JPEG is missing');
  let marker = head.readUInt8(1);
  // Any number of fill bytes may precede a marker.
  while (marker === 0xff) marker = (yield { take: 1 }).readUInt8();
  return marker;
}

function* segmentLength(): Generator<Want, number, Buffer> {
  const length = (yield { take: 2 }).readUInt16BE();
  if (length < 2) throw invalidPicture('a segment of the JPEG is damaged');
  return length - 2;
}

function* frame(): Generator<Want, Dimensions, Buffer> {
  const length = yield* segmentLength();
  if (length < 9) throw invalidPicture('the frame of the JPEG is damaged');
  const head = yield { take: 6 };
  const components = head.readUInt8(5);
  if (components === 0 || length !== 6 + 3 * components) throw invalidPicture('the frame of the JPEG is damaged');
  yield { skip: 3 * components };
  return checkDimensions(head.readUInt16BE(3), head.readUInt16BE(1));
}

/** Whether the segment announces further pictures. */
function* multiPicture(): Generator<Want, boolean, Buffer> {
  const length = yield* segmentLength();
  if (length < 4) {
    yield { skip: length };
    return false;
  }
  const announced = (yield { take: 4 }).toString('latin1') === 'MPF\0';
  yield { skip: length - 4 };
  return announced;
}

/** Passes over entropy-coded data, in which FF stands before 00 or a restart marker, to the marker that ends it. */
function* scanEnd(): Generator<Want, number, Buffer> {
  for (;;) {
    yield { past: 0xff };
    let code = (yield { take: 1 }).readUInt8();
    while (code === 0xff) code = (yield { take: 1 }).readUInt8();
    if (code !== 0 && (code < 0xd0 || code > 0xd7)) return code;
  }
}
