#!/bin/sh
# Runs check-vectors on the test vectors of this project, and on wrong ones, where it must say so.
#
# The vectors are also the negative tests of the verifiers' checks. Those that say "every equation holds" pass as soon
# as the one check they are about is taken out (numbers of cases in p256-2048.json):
#
#   check of protocol-equations.md 4                 cases that only it refuses
#   dlog            0 <= z < q                       8 9
#                   W, K points, not infinity        15-28 35 36 37
#   paillier_blum   exactly n bits                   78 81          not prime              77
#                   N odd                            70             0 < w < N              76 84 85
#                   Jacobi and unit checks together  75 80 83       x_i units              41 42 44 45 46 47
#                   z_i units                        49 50 52 53    a_i, b_i bits          test_proofs (bits_have_one_form); 60 61 62
#                   128 rounds                       66 67 68       both equations         40 43 48 51 56-59 79
#   ring_pedersen   N odd, n bits                    136 137 138    s, t in Z*_N           127 128 129 130
#                   s, t not 1 or N-1; s != t        119 120 126    128 of each            122-125
#                   A_i in Z*_N                      131 132        0 <= z_i < N           90 93 135
#   no_small_factor P, Q, A, B, T in Z*_Nv           167-176        ranges                 179-196 198 199
#                   parameters of the verifier       200
#   enc_range_dlog  C, A in Z*_{N^2}                 244 245 250-254
#                   S, D in Z*_Nv                    246-249        z2 in Z*_N             210 211 252 254
#                   points                           223-236 255-257
#                   ranges                           259 261 264 265 270
#                   each equation alone              271 272 273    statement              237-243 274 275
#   affine_range    D, A in Z*_{N^2}                 327 328 337-342
#                   w, E, F, S, T in Z*_N            303 304 329-336 339-342
#                   points                           306-319 343
#                   ranges                           345 347 350 351 354 355 358 359 366-368
#                   each equation alone              369-372        statement              320-326 373 374
#   signature       sigma in [0,q)                   sign "sigma plus q", "sigma minus q"
#                   h not 0, opening of the nonce, re-randomisation, centred V: the signs of these names
#   wire form       order, repetition, trailing or missing bytes, canonical integers: the hashes decode_proof, decode_int
set -u

checker=$TS_BUILDDIR/tests/check-vectors
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
count=0
failed=0

# line STATUS DESCRIPTION
line()
{
    count=$((count + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $count - $2"
    else
        failed=$((failed + 1))
        echo "not ok $count - $2"
    fi
}

# right FILE: every line ok, as many as the plan says, status 0
right()
{
    "$checker" "$1" > "$folder/out"
    status=$?
    lines=$(grep -c '^ok ' "$folder/out")
    grep -v '^ok ' "$folder/out" | sed 's/^/# /'
    [ "$status" -eq 0 ] && [ "$lines" -gt 100 ] && [ "$(tail -n 1 "$folder/out")" = "1..$lines" ]
    line $? "$(basename "$1"): $lines entries"
}

# wrong NAME: status 1, every line not ok but those of `prove` whose case was turned round
wrong()
{
    "$checker" "$folder/$1.json" > "$folder/out"
    status=$?
    good=$(grep '^ok ' "$folder/out" | grep -vc "$2")
    bad=$(grep -c '^not ok ' "$folder/out")
    grep '^ok ' "$folder/out" | grep -v "$2" | sed 's/^/# still /'
    [ "$status" -eq 1 ] && [ "$good" -eq 0 ] && [ "$bad" -gt "$3" ]
    line $? "$1: $bad wrong entries found"
}

for name in p256-2048 secp256k1-2048 p384-3072; do
    right "$TS_SRCDIR/tests/vectors/$name.json"
done

"$checker" "$TS_SRCDIR/tests/vectors/p256-2048.json" "$folder/missing" > "$folder/out"
[ $? -eq 1 ]
line $? "a file that is not there"
echo '{"format": "tallystick-vectors-1", ' > "$folder/cut.json"
"$checker" "$folder/cut.json" > "$folder/out"
[ $? -eq 1 ]
line $? "a file that is cut off"
echo '[1, {"a": null}]' > "$folder/list.json"
"$checker" "$folder/list.json" > "$folder/out"
[ $? -eq 1 ]
line $? "a file that is a list"
"$checker" > "$folder/out"
[ $? -eq 1 ]
line $? "no file at all"

python3 "$TS_SRCDIR/tests/vectors_mutate.py" "$TS_SRCDIR/tests/vectors/p256-2048.json" "$folder"
line $? "wrong vectors are made"
wrong flip ' - prove ' 500
wrong values '^$' 2000
wrong prove '^$' 30
wrong types '^$' 2000

for file in "$folder"/front-*.json; do
    "$checker" "$file" > "$folder/out"
    [ $? -eq 1 ] || { echo "# $(basename "$file") passed"; false; }
    [ $? -eq 0 ] || front=1
done
[ "${front-0}" -eq 0 ] && [ -e "$folder/front-20.json" ]
line $? "wrong values outside the entries are found"

echo "1..$count"
[ "$failed" -eq 0 ]
