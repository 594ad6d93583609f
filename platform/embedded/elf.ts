/**
 * Reads from an ELF64 shared object what it needs of other libraries: versions and undefined symbols. The names are
 * those of the System V gABI (Elf64_Ehdr, Elf64_Shdr, Elf64_Sym) and of the LSB's symbol versioning (Elf64_Verneed,
 * Elf64_Vernaux).
 */

export class ElfError extends Error {}

/** One Elf64_Vernaux: a version of a library that must exist when the object is loaded. */
export interface VersionNeed {
  library: string;
  version: string;
  /** vna_other: the number under which the symbols refer to it. */
  index: number;
  /** vna_hash and vna_name, as they stand. */
  hash: number;
  nameOffset: number;
  /** Where the structure starts in the file. */
  at: number;
}

export interface UndefinedSymbol {
  name: string;
  /** st_name, an offset into .dynstr. */
  nameOffset: number;
  versionIndex: number;
  /** Where the Elf64_Sym starts in the file. */
  at: number;
}

export interface DynamicNeeds {
  /** e_machine. */
  machine: number;
  versions: VersionNeed[];
  symbols: UndefinedSymbol[];
}

interface Section {
  offset: number;
  size: number;
  link: number;
  info: number;
}

const ELF_MAGIC = Buffer.from('\x7fELF', 'latin1');
const ELFCLASS64 = 2;
const ELFDATA2LSB = 1;
const SHT_DYNSYM = 11;
const SHT_GNU_VERNEED = 0x6ffffffe;
const SHT_GNU_VERSYM = 0x6fffffff;
const SHN_UNDEF = 0;
const SYM_SIZE = 24;
/** The top bit of a version index says "hidden", the rest is the number. */
const VERSION_INDEX = 0x7fff;

export function readDynamicNeeds(bytes: Buffer): DynamicNeeds {
  try {
    return read(bytes);
  } catch (error) {
    // Every read of a Buffer is bounds-checked, so an offset that points out of the file surfaces here.
    if (error instanceof RangeError) throw new ElfError('The ELF file is truncated or damaged', { cause: error });
    throw error;
  }
}

function read(bytes: Buffer): DynamicNeeds {
  if (!bytes.subarray(0, 4).equals(ELF_MAGIC)) throw new ElfError('Not an ELF file');
  if (bytes.readUInt8(4) !== ELFCLASS64) throw new ElfError('Not a 64-bit ELF file');
  if (bytes.readUInt8(5) !== ELFDATA2LSB) throw new ElfError('Not a little-endian ELF file');
  const sections = readSections(bytes);
  const only = (type: number, name: string): Section => {
    const section = sections.find((candidate) => candidate.type === type);
    if (!section) throw new ElfError(`The ELF file has no ${name} section`);
    return section;
  };
  const dynsym = only(SHT_DYNSYM, '.dynsym');
  const versym = only(SHT_GNU_VERSYM, '.gnu.version');
  const verneed = only(SHT_GNU_VERNEED, '.gnu.version_r');
  const dynstr = sections[dynsym.link];
  // One string table for symbols and versions is what lets a version's name be replaced by another's offset.
  if (!dynstr || verneed.link !== dynsym.link) throw new ElfError('The ELF file has no common .dynstr section');
  const text = (offset: number) => readText(bytes, dynstr, offset);
  return {
    machine: bytes.readUInt16LE(0x12),
    versions: readVersions(bytes, verneed, text),
    symbols: readUndefined(bytes, dynsym, versym, text),
  };
}

function readSections(bytes: Buffer): (Section & { type: number })[] {
  const start = readOffset(bytes, 0x28); // e_shoff
  const entrySize = bytes.readUInt16LE(0x3a); // e_shentsize
  const count = bytes.readUInt16LE(0x3c); // e_shnum
  return Array.from({ length: count }, (_, i) => {
    const at = start + i * entrySize;
    const section = {
      type: bytes.readUInt32LE(at + 4), // sh_type
      offset: readOffset(bytes, at + 24), // sh_offset
      size: readOffset(bytes, at + 32), // sh_size
      link: bytes.readUInt32LE(at + 40), // sh_link
      info: bytes.readUInt32LE(at + 44), // sh_info
    };
    return section;
  });
}

/** A 64-bit offset or size. One beyond 2^53 loses precision, but is far outside any file all the same. */
function readOffset(bytes: Buffer, at: number): number {
  return Number(bytes.readBigUInt64LE(at));
}

function readText(bytes: Buffer, table: Section, offset: number): string {
  const start = table.offset + offset;
  const limit = table.offset + table.size;
  const end = bytes.indexOf(0, start);
  if (start >= limit || end === -1 || end >= limit) throw new ElfError('The ELF file has a name outside its .dynstr');
  return bytes.toString('latin1', start, end);
}

function readVersions(bytes: Buffer, section: Section, text: (offset: number) => string): VersionNeed[] {
  const versions: VersionNeed[] = [];
  let need = section.offset;
  for (let left = section.info; left > 0; left--) {
    const library = text(bytes.readUInt32LE(need + 4)); // vn_file
    let at = need + bytes.readUInt32LE(need + 8); // vn_aux
    for (let aux = bytes.readUInt16LE(need + 2); aux > 0; aux--) {
      const nameOffset = bytes.readUInt32LE(at + 8); // vna_name
      const hash = bytes.readUInt32LE(at); // vna_hash
      const index = bytes.readUInt16LE(at + 6) & VERSION_INDEX; // vna_other
      versions.push({ library, version: text(nameOffset), index, hash, nameOffset, at });
      if (aux > 1) at = next(at, bytes.readUInt32LE(at + 12)); // vna_next
    }
    if (left > 1) need = next(need, bytes.readUInt32LE(need + 12)); // vn_next
  }
  return versions;
}

/** A distance of zero ends a chain; before its announced end it would make a loop. */
function next(at: number, distance: number): number {
  if (distance === 0) throw new ElfError('The ELF file has a broken .gnu.version_r chain');
  return at + distance;
}

function readUndefined(bytes: Buffer, dynsym: Section, versym: Section, text: (offset: number) => string) {
  const symbols: UndefinedSymbol[] = [];
  // The first Elf64_Sym (STN_UNDEF) is reserved.
  for (let i = 1; i < dynsym.size / SYM_SIZE; i++) {
    const at = dynsym.offset + i * SYM_SIZE;
    if (bytes.readUInt16LE(at + 6) !== SHN_UNDEF) continue; // st_shndx
    const nameOffset = bytes.readUInt32LE(at); // st_name
    const versionIndex = bytes.readUInt16LE(versym.offset + i * 2) & VERSION_INDEX;
    symbols.push({ name: text(nameOffset), nameOffset, versionIndex, at });
  }
  return symbols;
}
