# Makes and keeps the virtual environments of ./hakushi and ./check. Sourced, POSIX sh.
#
# A venv is ready when its own copy of the lock file equals the lock file. It is built aside, under
# a lock, and renamed into place with that copy written last, so that a set-up which is interrupted
# leaves nothing that looks finished. It is never started through its bin/ scripts, which would
# remember the place where it was built, only through bin/python.
#
# Whoever runs a venv shares its lock until it ends: a set-up waits instead of pulling the modules
# away from under a long assessment. Needs `here`, the root of the repository.

case ${LC_ALL:-${LC_MESSAGES:-${LANG:-}}} in ja*) speaks=ja ;; *) speaks=en ;; esac

say() { # ENGLISH JAPANESE
    if [ "$speaks" = ja ]; then printf 'hakushi: %s\n' "$2" >&2; else printf 'hakushi: %s\n' "$1" >&2; fi
}

refuse() { # ENGLISH JAPANESE
    say "$1" "$2"
    exit 5
}

absolute() { # PATH: the same, from the root, without slashes at its end
    place=$1
    while [ "${place%/}" != "$place" ] && [ "$place" != / ]; do place=${place%/}; done
    case $place in /*) printf '%s\n' "$place" ;; *) printf '%s/%s\n' "$(pwd -P)" "$place" ;; esac
}

venv_ready() { # VENV LOCK
    [ -x "$1/bin/python" ] && cmp -s "$2" "$1/made-from.lock"
}

venv_python() { # prints a Python that is new enough and can make virtual environments
    halfway=
    for name in ${HAKUSHI_PYTHON:-python3.13 python3.12 python3.11 python3}; do
        command -v "$name" >/dev/null 2>&1 || continue
        "$name" -I -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
        if "$name" -I -c 'import ensurepip, venv' 2>/dev/null; then
            command -v "$name"
            return
        fi
        halfway=$name
    done
    if [ "$halfway" ]; then
        refuse "$halfway lacks the venv module. On Debian and Ubuntu: apt install python3-venv" \
            "$halfway に venv モジュールがありません。Debian や Ubuntu では: apt install python3-venv"
    fi
    refuse "No Python 3.11 or newer was found. Install one (Debian and Ubuntu: apt install python3 python3-venv), or name one in HAKUSHI_PYTHON." \
        "Python 3.11 以降が見つかりません。インストールするか (Debian や Ubuntu: apt install python3 python3-venv)、HAKUSHI_PYTHON で指定してください。"
}

venv_ours() { # VENV: nothing stands there but what an earlier set-up made, or an empty folder
    ! [ -e "$1" ] && ! [ -h "$1" ] || [ -e "$1/made-from.lock" ] || rmdir "$1" 2>/dev/null
}

venv_build() { # VENV LOCK ENGLISH-SIZE JAPANESE-SIZE; the lock is held
    venv=$1 lock=$2 new=$1.new.$$
    venv_ours "$venv" || refuse "$venv was not made by this program and is left alone; remove it, or name another place in HAKUSHI_VENV." \
        "$venv はこのプログラムが作ったものではないので、そのままにします。削除するか、HAKUSHI_VENV で別の場所を指定してください。"
    python=$(venv_python) || exit 5
    rm -rf "$venv".new.* "$venv".old.* # what an interrupted set-up left
    trap 'rm -rf "$new"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    say "Setting up $venv with $python ($3)." "$python で $venv を用意します ($4)。"
    fill_venv || {
        say "Set-up failed; nothing was changed. See the lines above; pip must reach a package index, and the disk needs the room named." \
            "準備に失敗しました。何も変更していません。上の行を見てください。pip がパッケージの索引に届くことと、上記の空き容量が必要です。"
        exit 5
    }
    [ ! -e "$venv" ] || mv "$venv" "$venv.old.$$"
    mv "$new" "$venv"
    trap - EXIT INT TERM HUP
    rm -rf "$venv.old.$$"
    warm_venv
    say "Ready." "準備ができました。"
}

fill_venv() { # uses venv, lock, new, python
    rm -rf "$new" && mkdir -p "$new" &&
        "$python" -I -m venv "$new" >&2 &&
        PIP_USER=0 "$new/bin/python" -I -m pip install -qq --no-input --no-compile \
            --disable-pip-version-check --require-hashes --no-deps --only-binary :all: \
            --requirement "$lock" >&2 &&
        # Some packages carry files for Python 2: what does not compile is left as it is.
        { "$new/bin/python" -I -m compileall -qq -j 0 -s "$new" -p "$venv" "$new/lib" || :; } &&
        site=$("$new/bin/python" -I -c 'import sysconfig; print(sysconfig.get_path("purelib"))') &&
        printf '%s\n' "$here/src" >"$site/hakushi.pth" &&
        cp "$lock" "$new/made-from.lock"
}

warm_venv() { # kernels and pattern databases are compiled once, here, and not at the first drive
    [ -f "$here/src/hakushi/app/warm.py" ] || return 0
    say "Compiling the kernels (some seconds, once)." "カーネルをコンパイルします (数秒、初回のみ)。"
    use_venv "$venv"
    # Where bytecode may not be written at run time (PYTHONDONTWRITEBYTECODE), each start would
    # compile the sources.
    "$venv/bin/python" -m compileall -qq "$here/src/hakushi" || :
    "$venv/bin/python" -m hakushi.app.warm >&2 ||
        say "The kernels could not be compiled now; they will be when they are first used." \
            "いまはカーネルをコンパイルできませんでした。初めて使うときにコンパイルします。"
}

use_venv() { # VENV: the environment in which its python runs this repository's code
    export PYTHONPATH="$here/src" PYTHONSAFEPATH=1 PYTHONNOUSERSITE=1
    export NUMBA_CACHE_DIR="$1/cache/numba"
    unset PYTHONHOME PYTHONSTARTUP
}

hold_venv() { # VENV -s|-x: lock descriptor 9 of this process, telling why if that takes time
    flock "$2" -n 9 && return
    if [ "$2" = -s ]; then
        say "Another set-up of $1 is running; waiting for it." "$1 は別のプロセスが準備中です。終わるまで待ちます。"
    else
        say "$1 must be set up anew, but is in use; waiting until that run ends." \
            "$1 を作り直す必要がありますが、使用中です。終わるまで待ちます。"
    fi
    flock "$2" 9
}

with_mkdir_lock() { # VENV COMMAND…: for systems without flock; shares nothing
    held=$1.lock.d told=
    shift
    until mkdir "$held" 2>/dev/null; do
        [ -d "${held%/*}" ] || mkdir -p "${held%/*}"
        owner=$(cat "$held/pid" 2>/dev/null || true)
        if [ "$owner" ] && ! kill -0 "$owner" 2>/dev/null && mkdir "$held.break" 2>/dev/null; then
            # Its owner is gone. Look again: someone else may have taken it over in between.
            [ "$(cat "$held/pid" 2>/dev/null || true)" != "$owner" ] || rm -rf "$held"
            rmdir "$held.break"
            continue
        fi
        [ "$told" ] || say "Another set-up is running; waiting. If there is none, remove $held" \
            "別のプロセスが準備中です。終わるまで待ちます。準備中のプロセスがなければ $held を削除してください。"
        told=yes
        sleep 1
    done
    echo $$ >"$held/pid"
    rc=0
    ( "$@" ) || rc=$?
    rm -rf "$held"
    [ $rc = 0 ] || exit $rc
}

venv_build_unless_ready() { # VENV LOCK SIZE SIZE
    venv_ready "$1" "$2" || venv_build "$@"
}

ensure_venv() { # VENV LOCK ENGLISH-SIZE JAPANESE-SIZE: makes it where it is not ready, and holds it
    case $1 in *:*) refuse "A virtual environment cannot stand in a folder with a colon in its name: $1. Name another place in HAKUSHI_VENV." \
        "名前にコロンを含むフォルダには仮想環境を置けません: $1。HAKUSHI_VENV で別の場所を指定してください。" ;; esac
    if ! command -v flock >/dev/null 2>&1; then
        venv_ready "$1" "$2" || with_mkdir_lock "$1" venv_build_unless_ready "$@"
        return
    fi
    if ! [ -r "$1.lock" ]; then
        mkdir -p "${1%/*}" && : >>"$1.lock" || refuse "Cannot write ${1%/*}; name another place in HAKUSHI_VENV." \
            "${1%/*} に書き込めません。HAKUSHI_VENV で別の場所を指定してください。"
    fi
    exec 9<"$1.lock"
    hold_venv "$1" -s
    until venv_ready "$1" "$2"; do
        hold_venv "$1" -x
        ( venv_build_unless_ready "$@" ) || exit $?
        hold_venv "$1" -s
    done
}
