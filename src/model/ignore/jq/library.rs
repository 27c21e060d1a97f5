//! jq's functions that are written in jq, with meters where they go round. Names with `_` in front are ours: no expression can use them.

use std::sync::LazyLock;

use jaq_core::load::parse;
use jaq_core::load::parse::Def;

use super::calls::is_of_jaq;
use super::functions::functions;

const DEFINITIONS: &str = r#"
    def _truthy: if . then _tick else empty end;
    def any(f): any(.[] | _tick; f);
    def all(f): all(.[] | _tick; f);
    def any: any(.);
    def all: all(.);
    def IN(s): any(s == .; .);
    def IN(source; s): any(source == s; .);
    def getpath($path): reduce $path[] as $step (.; .[$step | _key] | _tick);
    def nth($n): .[$n | _key];
    def _contains($part): _product($part) | contains($part);
    def _indices($part): if . == null then . else _product($part) | indices($part) end;
    def index($part): _indices($part) | .[0];
    def rindex($part): _indices($part) | .[-1];
    def inside(whole): . as $part | whole | _contains($part);
    def in(whole): . as $key | whole | has($key);

    def recurse: _all;
    def recurse(f): def more: _turn | (., (f | more)); more;
    def recurse(f; is_so): def more: _turn | (., (f | select(is_so) | more)); more;
    def repeat(f): def more: _turn | (f, more); more;
    def while(is_so; update): def more: _turn | if is_so then ., (update | more) else empty end; more;
    def until(is_so; update): def more: _turn | if is_so then . else update | more end; more;
    def range($upto): range(0; $upto; 1);
    def range($from; $upto): range($from; $upto; 1);
    def combinations: _turn
        | if length == 0 then [] else .[0][] as $first | (.[1:] | combinations) as $rest | _turn | [$first] + $rest end;
    def combinations($n): . as $all | [range($n) | _tick | $all] | combinations;

    def paths: skip(1; path(_all));
    def paths(f): skip(1; path_value(_all)) | _tick | if .[1] | f then .[0] else empty end;
    def leaf_paths: paths(scalars);

    def _to_json: _escaped | tojson;
    def _to_text: _written | tostring;
    def to_entries: [key_values[] as [$key, $value] | _turn | {$key, $value}];
    def add: _add;
    def add(f): [f] | _add;
    def flatten: flatten(infinite);
    def from_entries: [.[] | _tick | {
        ([(.key, .k, .name, .Name, .Key, .K) | values] | .[0] | if isstring then . else _to_json end):
        ([(.value, .v, .Value, .V) | values] | .[0])
    }] | _add // {};
    def with_entries(f): to_entries | map(f) | from_entries;
    def ascii: [.] | implode;
    def toarray: if isarray then . else [.] end;

    def test(pattern): test(pattern; null);
    def match($pattern; $flags): _match($pattern; $flags) | .[];
    def match($pattern): if $pattern | isarray then match($pattern[0]; $pattern[1]) else match($pattern; null) end;
    def capture($pattern; $flags): match($pattern; $flags) | [.captures[] | select(.name) | {(.name): .string}] | _add // {};
    def capture($pattern): capture($pattern; null);
    def scan($pattern; $flags): match($pattern; "g" + $flags) | if .captures == [] then .string else [.captures[].string] end;
    def scan($pattern): scan($pattern; null);
    def split($pattern; $flags): _parts($pattern; "g" + $flags);
    def splits($pattern; $flags): split($pattern; $flags) | .[];
    def splits($pattern): splits($pattern; null);
    def sub($pattern; f; $flags):
        reduce (_pieces($pattern; $flags) | .[]) as $piece (""; . + ($piece | if isstring then . else f end) | _turn);
    def sub($pattern; f): sub($pattern; f; null);
    def gsub($pattern; f; $flags): sub($pattern; f; "g" + $flags);
    def gsub($pattern; f): sub($pattern; f; "g");
"#;

/// What the functions that an expression may call are in jq: read once.
static LIBRARY: LazyLock<Vec<Def>> = LazyLock::new(|| {
    let own = parse(DEFINITIONS, |parser| parser.defs()).unwrap_or_default();
    let natives: Vec<(&str, usize)> = functions().map(|(name, arguments, _)| (name, arguments.len())).collect();
    let is_own = |def: &Def| {
        let call = (def.name, def.args.len());
        natives.contains(&call) || own.iter().any(|own| (own.name, own.args.len()) == call)
    };
    let of_jaq = jaq_core::defs().chain(jaq_std::defs()).filter(|def| is_of_jaq(def.name, def.args.len()) && !is_own(def));
    of_jaq.collect::<Vec<_>>().into_iter().chain(own.iter().map(copy)).collect()
});

fn copy<'s>(def: &Def) -> Def<&'s str> {
    Def { name: def.name, args: def.args.clone(), body: def.body.clone() }
}

pub(super) fn library<'s>() -> impl Iterator<Item = Def<&'s str>> {
    LIBRARY.iter().map(copy)
}
