/** Builds the smallest ELF64 object that has dynamic needs, for tests on machines and damages that we have no file of. */

export const EM_X86_64 = 62;
export const EM_AARCH64 = 183;

interface Sketch {
  machine: number;
  /** Versions of libc.so.6; their number is their place here plus 2, as 0 and 1 are reserved. */
  versions: string[];
  /** Undefined symbols and the version that each refers to. */
  symbols: { name: string; version: string }[];
}

export function buildElf({ machine, versions, symbols }: Sketch): Buffer {
  const names = Buffer.from(`\0${['libc.so.6', ...versions, ...symbols.map(({ name }) => name)].join('\0')}\0`);
  const nameOf = (name: string) => names.indexOf(`\0${name}\0`) + 1;

  const dynsym = Buffer.alloc(24 * (symbols.length + 1));
  const versym = Buffer.alloc(2 * (symbols.length + 1));
  symbols.forEach(({ name, version }, i) => {
    dynsym.writeUInt32LE(nameOf(name), 24 * (i + 1));
    versym.writeUInt16LE(versions.indexOf(version) + 2, 2 * (i + 1));
  });

  const verneed = Buffer.alloc(16 * (versions.length + 1));
  verneed.writeUInt16LE(1, 0); // vn_version
  verneed.writeUInt16LE(versions.length, 2); // vn_cnt
  verneed.writeUInt32LE(nameOf('libc.so.6'), 4); // vn_file
  verneed.writeUInt32LE(16, 8); // vn_aux
  versions.forEach((version, i) => {
    const at = 16 * (i + 1);
    verneed.writeUInt32LE(0x1000 + i, at); // vna_hash
    verneed.writeUInt16LE(i + 2, at + 6); // vna_other
    verneed.writeUInt32LE(nameOf(version), at + 8); // vna_name
    verneed.writeUInt32LE(i + 1 < versions.length ? 16 : 0, at + 12); // vna_next
  });

  const parts = [
    { type: 3, bytes: names, link: 0, info: 0 },
    { type: 11, bytes: dynsym, link: 1, info: 1 },
    { type: 0x6fffffff, bytes: versym, link: 2, info: 0 },
    { type: 0x6ffffffe, bytes: verneed, link: 1, info: 1 },
  ];
  const header = Buffer.alloc(64);
  header.write('\x7fELF', 0, 'latin1');
  header.set([2, 1, 1], 4); // 64-bit, little-endian, version 1
  header.writeUInt16LE(machine, 0x12);
  header.writeUInt16LE(64, 0x3a); // e_shentsize
  header.writeUInt16LE(parts.length + 1, 0x3c); // e_shnum
  const table = Buffer.alloc(64 * (parts.length + 1));
  let end = header.length;
  parts.forEach(({ type, bytes, link, info }, i) => {
    const at = 64 * (i + 1);
    table.writeUInt32LE(type, at + 4);
    table.writeBigUInt64LE(BigInt(end), at + 24);
    table.writeBigUInt64LE(BigInt(bytes.length), at + 32);
    table.writeUInt32LE(link, at + 40);
    table.writeUInt32LE(info, at + 44);
    end += bytes.length;
  });
  header.writeBigUInt64LE(BigInt(end), 0x28); // e_shoff
  return Buffer.concat([header, ...parts.map(({ bytes }) => bytes), table]);
}
