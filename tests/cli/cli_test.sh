#!/usr/bin/env bash
# The command line as people and scripts meet it: exit codes, what goes to stdout and what to stderr, and whole rollouts
# against the real server and a simulated gateway. Argument: the build folder with tranche and fleetsim.
set -uo pipefail
build=$(cd "${1:?the build folder}" && pwd)
tranche=$build/tranche
fleetsim=$build/fleetsim
home=$(mktemp -d /tmp/tranche-cli-XXXXXX)
cd "$home"
pids=()
checks=0
failures=0

cleanup() {
    cd /
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done
    wait
    rm -rf "$home"
}
trap cleanup EXIT
unset TRANCHE_SERVER TRANCHE_TOKEN NO_COLOR "${!TRANCHE_@}"

failed() {
    failures=$((failures + 1))
    echo "FAILED: $*"
    [ "$failures" -lt 10 ] && return
    echo "giving up; the end of the server's log:"
    tail -n 20 tranche.log 2>/dev/null
    exit 1
}
# run EXIT-CODE COMMAND...: stdout in $out, stderr in $err.
run() {
    local wanted=$1 code=0
    shift
    "$@" >out 2>err </dev/null || code=$?
    out=$(cat out) err=$(cat err)
    checks=$((checks + 1))
    [ "$code" -eq "$wanted" ] && return
    failed "$*"$'\n'"  exit $code, expected $wanted"$'\n'"  stdout: $out"$'\n'"  stderr: $err"
}
# is TEXT PATTERN: an extended regular expression that the text must match somewhere.
is() {
    checks=$((checks + 1))
    grep -Eq -- "$2" <<<"$1" && return
    failed "expected /$2/, found: $1"
}
empty() { checks=$((checks + 1)); [ -z "$1" ] || failed "expected nothing, found: $1"; }

# start NAME COMMAND...: a program whose first line says where it listens; sets $url and $pid.
start() {
    "${@:2}" >"$1.out" 2>"$1.log" &
    pid=$!
    pids+=("$pid")
    for _ in $(seq 200); do
        url=$(sed -n 's/.*listening on //p' "$1.out")
        [ -n "$url" ] && return
        sleep 0.05
    done
    failed "$1 did not start: $(cat "$1.log")"
    exit 1
}

# ---- words ----

run 0 "$tranche" version;                         is "$out" '^tranche [0-9]+\.[0-9]+\.[0-9]+$'; empty "$err"
run 0 "$tranche" --version;                       is "$out" '^tranche [0-9]+\.[0-9]+\.[0-9]+$'
run 0 "$tranche" help job;                        is "$out" '^usage: tranche job VERB'
run 0 "$tranche" job --help;                      is "$out" '^usage: tranche job VERB'; is "$out" 'job failures JOB-ID'
run 0 "$tranche" help;                            is "$out" 'job create JOB-ID'; empty "$err"
run 0 "$tranche" --help;                          is "$out" '^usage: tranche COMMAND'
run 2 "$tranche";                                 is "$err" '^usage: tranche COMMAND'; empty "$out"
run 2 "$tranche" jbo create;                      is "$err" 'there is no command "jbo"'; is "$err" 'did you mean "job"\?'
run 2 "$tranche" divice list;                     is "$err" 'did you mean "device"\?'
run 2 "$tranche" groups list;                     is "$err" 'did you mean "group"\?'
run 2 "$tranche" fleet list;                      is "$err" 'see tranche help'
run 2 "$tranche" job;                             is "$err" 'needs to know what to do: create, watch, wait, list, show, devices, failures, stop, resume, rerun'
run 2 "$tranche" job start;                       is "$err" '"job" cannot "start", but: create'
run 2 "$tranche" help job start;                  is "$err" 'there is no command "job start"'
run 2 "$tranche" job show;                        is "$err" 'an argument is missing: JOB-ID'; is "$err" 'usage: tranche job show JOB-ID'
run 2 "$tranche" job show a b;                    is "$err" 'one argument too many: "b"'
run 2 "$tranche" job show a --colour;             is "$err" 'there is no flag --colour'
run 2 "$tranche" job show -z a;                   is "$err" 'there is no flag -z'
run 2 "$tranche" job show a -o xml;               is "$err" 'expected table, wide, json, jsonl, tsv or id, got "xml"'
run 2 "$tranche" job show a -o;                   is "$err" '--output needs a value: --output FORMAT'
run 2 "$tranche" job show a --quiet=yes;          is "$err" '--quiet takes no value'
run 2 "$tranche" --server ftp://x job show a;     is "$err" 'expected a URL such as'
run 2 env TRANCHE_SERVER=nowhere "$tranche" version; is "$err" 'got "nowhere"'
run 2 "$tranche" --token-file /no/such job show a; is "$err" '/no/such: No such file'
while read -r command; do
    run 0 "$tranche" $command --help
    is "$out" "^usage: tranche $command"; is "$out" "^example: .*tranche $command"; empty "$err"
    checks=$((checks + 1)); [ "$(wc -l <out)" -le 40 ] || failed "the help of $command does not fit a screen"
done < <("$tranche" help | sed -n 's/^  \([a-z]\+\( [a-z]\+\)\?\) .*/\1/p')

run 2 "$tranche" job create;                      is "$err" 'missing: JOB-ID'
run 2 "$tranche" job create a;                    is "$err" '--group is missing'
run 2 "$tranche" job create a -g g;               is "$err" 'what is to be done'
run 2 "$tranche" job create a -g g --property x --target t;         is "$err" 'expected name=value, got "x"'
run 2 "$tranche" job create a -g g --property x=1 --command y;      is "$err" 'either for properties or for commands'
run 2 "$tranche" job create a -g g --property x=1 --per-batch;      is "$err" '--per-batch needs --cancel-at'
run 2 "$tranche" job create a -g g --property x=1 --target t --batch many; is "$err" '--batch: expected a number'
run 2 "$tranche" job create a -j b -g g --property x=1;             is "$err" 'two ids were given'
run 2 "$tranche" job create a -f body.json -g g;                    is "$err" 'leave out what describes it'
run 2 "$tranche" job create a -f /no/such;                          is "$err" '/no/such'
run 2 "$tranche" job create a -g g --content '[{]';                 is "$err" '--content: unexpected character'
run 2 "$tranche" schedule create s -g g --property x=1;             is "$err" '--start is missing'
run 2 "$tranche" schedule create s --start now;                     is "$err" '--group is missing'
run 2 "$tranche" schedule create s -g g --property x=1 --start now --until 2030-01-01; is "$err" 'need --every'
run 2 "$tranche" schedule create s -g g --property x=1 --start soon; is "$err" '--start: expected now or a time'
run 2 "$tranche" schedule create s -g g --property x=1 --start now --every daily; is "$err" '--every: expected day'
run 2 "$tranche" schedule update s;                                 is "$err" 'what is to be changed'
run 2 "$tranche" schedule update s --times lots;                    is "$err" '--times: expected a number'
run 2 "$tranche" job watch a --interval 0.01;                       is "$err" 'at least 0.2 seconds'
run 2 "$tranche" job watch a --timeout soon;                        is "$err" 'expected a length of time'
run 2 "$tranche" group create g;                                    is "$err" '--filter is missing'
run 2 "$tranche" group update g;                                    is "$err" 'what is to be changed'
run 2 "$tranche" device update d;                                   is "$err" 'what is to be changed'
run 2 "$tranche" device list --limit many;                          is "$err" '--limit: expected a number, got "many"'
run 2 "$tranche" device import /no/such;                            is "$err" '/no/such'
run 2 "$tranche" device import - --format xml;                      is "$err" 'expected ndjson or csv, got "xml"'
run 2 "$tranche" token create ops --data d;                         is "$err" '--role is missing'
run 2 "$tranche" token create ops --role king --data d;             is "$err" 'got "king"'
run 6 "$tranche" token create ops --role operator --organization NORTH --data d; is "$err" 'error: --organization'
run 2 "$tranche" template import /no/such;                          is "$err" '/no/such'
run 2 "$tranche" audit --limit many;                                is "$err" '--limit: expected a number'
run 2 "$tranche" token create ops --role operator --expires never --data d; is "$err" '--expires'
run 2 "$tranche" serve --in-flight lots;          is "$err" 'in_flight: expected a whole number'
run 2 "$tranche" serve --set speed=5;             is "$err" 'option "speed" does not exist'
run 2 "$tranche" serve --set speed;               is "$err" 'expected NAME=VALUE'
run 2 "$tranche" serve --config /no/such;         is "$err" '/no/such'
run 2 env TRANCHE_WORKERS=-1 "$tranche" serve;    is "$err" 'TRANCHE_WORKERS'
run 0 "$tranche" serve --help-options;            is "$out" '#in_flight = 256'
run 1 "$tranche" --server http://127.0.0.1:1 job show a; is "$err" 'server http://127.0.0.1:1'; empty "$out"

# ---- a fleet ----

run 0 "$tranche" token create ops --role administrator --data data
is "$out" '^SharedAccessSignature sr=[^&]+&sig=[^&]+&skn=ops&se=[0-9]{13}$'; empty "$err"
echo "$out" >token
run 5 "$tranche" token create ops --role operator --data data
run 0 "$tranche" token create eyes --role org-viewer --expires 1d --data data
echo "$out" >eyes

"$fleetsim" devices --count 1000 --template 'dtmi:tranche:fleetsim;1' >devices.ndjson
run 0 "$tranche" device import devices.ndjson --data data -o json
is "$out" '"lines":1000,"devices":1000,"created":1000,"updated":0,"bad":0'
printf 'id,site\noffline-1,north\n' >offline.csv
run 0 "$tranche" device import offline.csv --data data --template 'dtmi:tranche:offline;1'; is "$out" '^1	1	1	0	0$'

start fleetsim "$fleetsim" --listen 127.0.0.1:0 --latency-ms 20 --fail 5 --seed 7
gateway=$url
echo "workers = 2" >tranche.ini
start tranche env TRANCHE_IN_FLIGHT=32 "$tranche" serve --config tranche.ini --data data --listen 127.0.0.1:0 \
    --gateway "$gateway" --set idle_property_ms=30000
server=$url server_pid=$pid
is "$(cat tranche.out)" '^tranche: listening on http://127\.0\.0\.1:[0-9]+$'

run 5 "$tranche" device import devices.ndjson --data data;          is "$err" 'in use'
run 5 "$tranche" serve --data data --listen 127.0.0.1:0;            is "$err" 'in use'

run 3 "$tranche" --server "$server" job show a;                     is "$err" '401 Unauthorized'; is "$err" 'no token was given'
export TRANCHE_SERVER=$server
run 3 "$tranche" --token-file eyes job stop a;                      is "$err" '403 Forbidden'
run 4 "$tranche" --token-file token job show a;                     is "$err" '404 NotFound'; is "$err" 'request id [0-9a-f-]{36}'
export TRANCHE_TOKEN=$(cat token)
run 4 "$tranche" job watch a
run 4 "$tranche" job rerun a b

run 0 "$tranche" device import devices.ndjson;                      is "$out" '^1000	1000	0	1000	0$'
printf '{"id":"a b"}\n{"id":"other","simulated":true}\n{"id":"x","colour":1}\n' >bad.ndjson
run 6 "$tranche" device import bad.ndjson -o json
is "$out" '"bad":2'; is "$err" '^line 1: .*"a b"'; is "$err" '^line 3: "colour" is no member'
run 6 "$tranche" device import bad.ndjson --all-or-nothing;         is "$err" 'nothing was imported'; is "$err" '^line 3: '; empty "$out"
run 0 bash -c "cat devices.ndjson | '$tranche' device import - -o json"; is "$out" '"updated":1000'

printf '\xef\xbb\xbfIOTC_DEVICEID,IOTC_DEVICENAME,site,floor:json\r\nrow-1,"One, first",north,1\r\nrow-2,,south,two\r\n' >rows.csv
run 6 "$tranche" device import rows.csv;                            is "$out" '^2	1	1	0	1$'; is "$err" '^line 3: column 4, floor: '
run 6 "$tranche" device import rows.csv --all-or-nothing;           is "$err" 'nothing was imported'; empty "$out"
run 0 bash -c "head -2 rows.csv | '$tranche' device import - --format csv"; is "$out" '^1	1	0	1	0$'
run 6 "$tranche" device import devices.ndjson --format csv;         is "$err" 'line 1: a field with quotes in it must be quoted'

run 6 "$tranche" group create g --filter 'SELECT';                  is "$err" '422 UnprocessableEntity'
run 0 "$tranche" group create all --filter 'SELECT * FROM devices' -o id; is "$out" '^all$'
run 0 "$tranche" group create fleet --name Fleet \
    --filter "SELECT * FROM devices WHERE \$template = 'dtmi:tranche:fleetsim;1'"
is "$out" '^ID	NAME	FILTER$'; is "$out" '^fleet	Fleet	SELECT'

is "$err" '^1000 devices match now$'
run 0 "$tranche" group create none --filter "SELECT * FROM devices WHERE site = 'moon'" -o id; is "$err" '^no device matches now$'

# ---- the registry ----

run 0 "$tranche" group list -o id;                                  is "$out" '^all$'; is "$out" '^fleet$'; is "$out" '^none$'
run 0 "$tranche" group show fleet -o json;                          is "$out" '"displayName":"Fleet"'
run 0 "$tranche" group update none --description Empty -o json;     is "$out" '"description":"Empty"'
run 0 "$tranche" group count fleet -o tsv;                          is "$out" '^1000$'
run 0 "$tranche" group devices fleet --limit 3 -o id;               is "$out" '^sim-000001$'; is "$err" 'there are more than 3'
checks=$((checks + 1)); [ "$(wc -l <out)" -eq 3 ] || failed "three devices: $out"
run 0 "$tranche" group explain fleet -o json;                       is "$out" '"index":"template","count":1000'
run 6 "$tranche" group explain 'SELECT * FROM devices WHERE a eq 1'; is "$err" '^ {32}\^$'
run 0 "$tranche" group delete none;                                 is "$err" '^deleted none$'; empty "$out"
run 4 "$tranche" group delete none;                                 is "$err" '404 NotFound'
run 0 "$tranche" device list --limit 0 -o id
checks=$((checks + 1)); [ "$(wc -l <out)" -ge 1000 ] || failed "a list of the whole fleet has $(wc -l <out) lines"
run 0 "$tranche" device list --filter "id eq 'offline-1'" -o wide;  is "$out" '^offline-1	offline-1	dtmi:tranche:offline;1	true	true	false	'
run 6 "$tranche" device list --filter "size eq 5";                  is "$err" 'at position 1, found "size"'
run 0 "$tranche" device update offline-1 --name 'Off "line"' --enabled false -o json
is "$out" '"displayName":"Off \\"line\\""'; is "$out" '"enabled":false'
run 2 "$tranche" device update offline-1 --enabled no;              is "$err" '--enabled: expected true or false, got "no"'
run 0 "$tranche" device show offline-1 -o tsv;                      is "$out" '^offline-1	Off "line"	dtmi:tranche:offline;1	false$'
run 0 "$tranche" device delete offline-1;                           is "$err" '^deleted offline-1$'
run 4 "$tranche" device show offline-1;                             is "$err" 'Device "offline-1" was not found'

# ---- templates ----

model() { echo "{\"@id\":\"$1\",\"@type\":[\"ModelDefinition\",\"DeviceModel\"],\"displayName\":\"$2\",\"capabilityModel\":{\"@type\":\"Interface\",\"@id\":\"$1\",
  \"contents\":[{\"@type\":\"Property\",\"name\":\"speed\",\"schema\":\"double\",\"writable\":true}]}}"; }
model 'dtmi:contoso:Pump;1' Pump >pump.json
run 0 "$tranche" template import pump.json;                         is "$out" '^ID	NAME$'; is "$out" '^dtmi:contoso:Pump;1	Pump$'
run 0 "$tranche" template import pump.json --id 'dtmi:contoso:Pump;2' -o id; is "$out" '^dtmi:contoso:Pump;2$'
echo "[$(model 'dtmi:contoso:Valve;1' Valve),$(model 'dtmi:contoso:Fan;1' Fan)]" >models.json
run 0 "$tranche" template import models.json -o id;                 is "$out" '^dtmi:contoso:Valve;1$'; is "$out" '^dtmi:contoso:Fan;1$'
run 2 "$tranche" template import models.json --id x;                is "$err" '--id is for one template'
run 0 "$tranche" template list -o json
cp out models.json
run 0 "$tranche" template delete 'dtmi:contoso:Fan;1';              is "$err" '^deleted dtmi:contoso:Fan;1$'
run 0 bash -c "sed 's/\"etag\":[^,]*,//' models.json | '$tranche' template import - -o id"; is "$out" '^dtmi:contoso:Fan;1$'
run 0 "$tranche" template show 'dtmi:contoso:Fan;1' -o json;        is "$out" '"name":"speed"'
echo '[{"@id":"dtmi:contoso:Bad;1"}]' >models.json
run 6 "$tranche" template import models.json;                       is "$err" '422'; is "$err" '^  template "dtmi:contoso:Bad;1"$'
echo '{"displayName":"Nobody"}' >models.json
run 6 "$tranche" template import models.json;                       is "$err" 'template 1 of the file has no @id'
echo '{"@id":' >models.json
run 6 "$tranche" template import models.json;                       is "$err" 'models.json: '

# ---- organizations, tokens, roles, the audit ----

run 0 "$tranche" organization create contoso --name Contoso;        is "$out" '^contoso	Contoso	$'
run 0 "$tranche" organization create north --parent contoso -o id;  is "$out" '^north$'
run 0 "$tranche" organization list -o tsv;                          is "$out" '^north	north	contoso$'
run 0 "$tranche" organization show contoso -o json;                 is "$out" '"displayName":"Contoso"'
run 6 "$tranche" organization create south --parent nowhere;        is "$err" '"nowhere"'
run 5 "$tranche" organization delete contoso;                       is "$err" '409 Conflict'
run 0 "$tranche" device update sim-000001 --organization north -o wide; is "$out" '	north$'
run 0 "$tranche" group create northern --organization north \
    --filter "SELECT * FROM devices WHERE \$template = 'dtmi:tranche:fleetsim;1'" -o wide
is "$out" '	north	SELECT'
run 0 "$tranche" group update northern --organization contoso -o json; is "$out" '"organizations":\["contoso"\]'

run 0 "$tranche" role list -o tsv;                                  is "$out" '^operator	Operator	ae2c9854-'
run 0 "$tranche" token create northerner --role org-operator --organization north --expires 1d
is "$out" '^SharedAccessSignature sr=[^&]+&sig=[^&]+&skn=northerner&se=[0-9]{13}$'; empty "$err"
echo "$out" >northerner
run 0 "$tranche" token create second --role builder -o json;        is "$out" '"token":"SharedAccessSignature '
run 5 "$tranche" token create second --role builder;                is "$err" 'exists already'
run 6 "$tranche" token create third --role org-viewer --organization nowhere; is "$err" '"nowhere"'
run 0 "$tranche" token list -o tsv
is "$out" '^northerner	org-operator of north	'; is "$out" '^ops	administrator	'
run 0 "$tranche" token show second -o json;                         is "$out" '"id":"second"'
checks=$((checks + 1)); grep -q '"token"' out && failed "a token's value is shown: $out"
run 0 "$tranche" --token-file northerner device list -o id;         is "$out" '^sim-000001$'
checks=$((checks + 1)); [ "$(wc -l <out)" -eq 1 ] || failed "somebody of the north sees: $out"
run 3 "$tranche" --token-file northerner token list;                is "$err" '403 Forbidden'
run 0 "$tranche" token revoke second;                               is "$err" '^deleted second$'
run 4 "$tranche" token show second
run 0 "$tranche" audit --limit 1 -o tsv;                            is "$out" '	ops	ApiTokens_Remove	second	OK$'
run 0 "$tranche" audit -o jsonl;                                    is "$out" '"operation":"Organizations_Create","object":"north"'
run 0 "$tranche" audit --limit 2 -o id;                             is "$out" '^[0-9]+$'

# ---- jobs ----

run 2 "$tranche" job create j -g all --property x=1;                is "$err" 'does not name exactly one template'
run 4 "$tranche" job create j -g nobody --property x=1;             is "$err" 'nobody'
run 6 "$tranche" job create j -g nobody --property x=1 --target t;  is "$err" '422'
run 6 "$tranche" job create 'j!' -g fleet --property x=1;           is "$err" '422'

sentence='^warm-up complete: 1000 devices, [0-9]+ completed, [0-9]+ failed \([0-9.]+ %\) in [0-9.]+s, [0-9.]+/s\. Rerun failed: tranche job rerun warm-up$'
run 9 "$tranche" job create warm-up -g fleet --property targetTemperature=56 --property mode=eco --batch 25% \
    --cancel-at 50% --per-batch --name "Warm up" --wait
is "$out" "$sentence"; empty "$err"
run 0 "$tranche" job watch warm-up;                                 is "$out" "$sentence"
run 0 "$tranche" job wait warm-up;                                  is "$out" "$sentence"; empty "$err"
run 9 "$tranche" job wait warm-up --exit-status
run 0 "$tranche" job create warm-up -g fleet --property targetTemperature=56 --property mode=eco --batch 25% \
    --cancel-at 50% --per-batch --name "Warm up";                   is "$err" 'exists already, with this definition: nothing was started'
run 0 "$tranche" job list -o id;                                    is "$out" '^warm-up$'
run 0 "$tranche" job list --limit 1 -o json;                        is "$out" '^\{"value":\['
run 0 "$tranche" job failures warm-up -o tsv;                       is "$out" '^REASON	OUTCOME	COUNT	LAST	EXAMPLE$'; is "$out" '	failed	[0-9]+	'
run 0 "$tranche" job devices warm-up --outcome completed --limit 2 -o wide; is "$out" '^sim-0+[0-9]	completed	0	1	202	'
run 6 "$tranche" job devices warm-up --outcome lost;                is "$err" 'outcome: expected pending'
run 0 "$tranche" job devices warm-up --outcome failed --limit 0 -o id
failed_listed=$(wc -l <out)
run 9 "$tranche" job watch warm-up --exit-status -q
run 0 "$tranche" job show warm-up -o json
is "$out" '"displayName":"Warm up"'; is "$out" '"batch":\{"type":"percentage","value":25\}'
is "$out" '"cancellationThreshold":\{"type":"percentage","value":50,"batch":true\}'
is "$out" '"target":"dtmi:tranche:fleetsim;1","path":"targetTemperature","value":56'; is "$out" '"path":"mode","value":"eco"'
is "$out" '"status":"complete"'
failed=$(sed -n 's/.*"failed":\([0-9]*\)}.*/\1/p' <<<"$out")
checks=$((checks + 1)); [ "$failed" = "$failed_listed" ] || failed "$failed devices failed, $failed_listed are listed"
run 0 "$tranche" job show warm-up -o tsv;                           is "$out" '^warm-up	complete	fleet	1000	0	'
run 5 "$tranche" job stop warm-up;                                  is "$err" '409 Conflict'
run 5 "$tranche" job resume warm-up

run 0 "$tranche" job rerun warm-up -o id;                           is "$out" '^warm-up-rerun-1$'
run 0 "$tranche" job watch warm-up-rerun-1;                         is "$out" "^warm-up-rerun-1 complete: $failed devices"
run 0 "$tranche" job rerun warm-up -o id;                           is "$out" '^warm-up-rerun-2$'
run 0 "$tranche" job rerun warm-up again -o id;                     is "$out" '^again$'

run 8 "$tranche" job create trips -g fleet --command reboot --batch 100 --cancel-at 1 --watch
is "$out" '^trips cancelled: .*Reason: '
run 0 "$tranche" job create az --group-id fleet --content '[{"type":"command","target":"t","path":"c.reboot","value":{"a":1.10}}]' \
    --job-name Az --batch 50 --batch-type percentage --cancellation-threshold 90 \
    --cancellation-threshold-type percentage --cancellation-threshold-batch number -o json
is "$out" '"value":\{"a":1\.10\}'; is "$out" '"value":90,"batch":false'
run 0 "$tranche" job watch az

run 0 "$tranche" job show warm-up -o wide
is "$out" '^data          property targetTemperature = 56  of dtmi:tranche:fleetsim;1$'
is "$out" '^batch         25% of the devices$'; is "$out" '^cancel at     more than 50% of the devices of a batch failed$'
run 0 "$tranche" job show trips -o wide;                            is "$out" '^cancel at     more than 1 device failed$'; is "$out" '^reason        .*exceeded$'
run 0 "$tranche" job create ours -g northern --organization contoso --property mode=eco --wait; is "$out" '^ours complete: 1 devices'
run 0 "$tranche" job show ours -o wide;                             is "$out" '^organization  contoso$'

# ---- schedules ----

run 0 "$tranche" schedule create soon -g northern --organization contoso --property mode=eco --start now -o tsv
is "$out" '^soon	northern	[0-9TZ:.-]+				true	(true|false)$'
for _ in $(seq 100); do
    run 0 "$tranche" schedule runs soon -o id
    [ -n "$out" ] && break
    sleep 0.1
done
made=$out
run 0 "$tranche" job wait "$made";                                  is "$out" 'complete: 1 devices'
run 0 "$tranche" job show "$made" -o wide;                          is "$out" '^schedule      soon$'; is "$out" '^organization  contoso$'
run 0 "$tranche" schedule show soon -o json;                        is "$out" '"completed":true'

run 0 "$tranche" schedule create nightly -g fleet --command reboot --start 2040-01-31T03:00:00Z --every month --times 3 \
    --batch 25% --name Nightly --disabled -o wide
is "$out" '^nightly	Nightly	fleet	2040-01-31T03:00:00Z	monthly		3	false	false	$'
run 0 "$tranche" schedule enable nightly -o tsv;                    is "$out" '	true	false$'
run 0 "$tranche" schedule disable nightly -o tsv;                   is "$out" '	false	false$'
run 0 "$tranche" schedule update nightly --every week --until 2040-06-30 --property mode=eco -o json
is "$out" '"recurrence":"weekly","end":\{"type":"date","date":"2040-06-30"\}'
is "$out" '"target":"dtmi:tranche:fleetsim;1","path":"mode","value":"eco"'; is "$out" '"batch":\{"type":"percentage","value":25\}'
is "$out" '"enabled":false'
run 0 "$tranche" schedule show nightly -o wide;                     is "$out" '^data          property mode = "eco"  of dtmi'
run 0 "$tranche" schedule update nightly --every '' --batch '' -o json
checks=$((checks + 1)); grep -Eq 'recurrence|"end"|"batch"' out && failed "what was taken away is there: $out"
run 0 "$tranche" schedule list -o id;                               is "$out" '^nightly$'; is "$out" '^soon$'
run 0 "$tranche" schedule delete nightly;                           is "$err" '^deleted nightly$'
run 4 "$tranche" schedule show nightly;                             is "$err" '404 NotFound'

echo '{"group":"fleet","data":[{"type":"property","target":"t","path":"slow","value":1}],"batch":{"type":"number","value":10}}' >body.json
run 0 "$tranche" job create slow -f body.json -o id;                is "$out" '^slow$'
run 7 "$tranche" job watch slow --timeout 0.1;                      is "$err" 'has not ended in time'
run 130 bash -c "trap - INT; '$tranche' job watch slow & sleep 0.3; kill -INT \$!; wait \$!"
is "$err" 'job continues; tranche job watch slow to re-attach'
run 0 "$tranche" job stop slow;                                     is "$out" 'slow	stopped'
run 0 "$tranche" job stop slow
run 8 "$tranche" job watch slow;                                    is "$out" '^slow stopped: .*Go on: tranche job resume slow$'
run 0 "$tranche" job resume slow
run 0 "$tranche" job resume slow
run 0 "$tranche" job watch slow;                                    is "$out" '^slow complete: 1000 devices'

# ---- the end ----

kill -TERM "$server_pid"
code=0; wait "$server_pid" || code=$?
checks=$((checks + 1)); [ "$code" -eq 0 ] || failed "serve ended with $code: $(tail -n 5 tranche.log)"
run 1 "$tranche" job show slow;                                     is "$err" "$server"

echo "$checks checks, $failures failures"
[ "$failures" -eq 0 ]
