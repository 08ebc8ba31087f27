const view = new DataView(new ArrayBuffer(8));

/** The value, if it has 64 bits. Throws an Error otherwise, as protobuf-es does. */
function checked(value: string | number | bigint, isSigned: boolean): bigint {
  const whole = BigInt(value);
  if (whole !== (isSigned ? BigInt.asIntN(64, whole) : BigInt.asUintN(64, whole)))
    throw new Error(`invalid ${isSigned ? "int64" : "uint64"}: ${value}`);
  return whole;
}

/** The two halves of a value in 32 bits each, as they are written. */
function halves(value: bigint) {
  view.setBigInt64(0, value, true);
  return { lo: view.getInt32(0, true), hi: view.getInt32(4, true) };
}

function join(lo: number, hi: number): void {
  view.setInt32(0, lo, true);
  view.setInt32(4, hi, true);
}

/** Whole numbers of 64 bits as BigInt, which every browser that the page is built for has. */
export const protoInt64 = {
  zero: 0n,
  supported: true,
  parse: (value: string | number | bigint) => checked(value, true),
  uParse: (value: string | number | bigint) => checked(value, false),
  enc: (value: string | number | bigint) => halves(checked(value, true)),
  uEnc: (value: string | number | bigint) => halves(checked(value, false)),
  dec(lo: number, hi: number): bigint {
    join(lo, hi);
    return view.getBigInt64(0, true);
  },
  uDec(lo: number, hi: number): bigint {
    join(lo, hi);
    return view.getBigUint64(0, true);
  },
};
