# SPDX-License-Identifier: Apache-2.0
# Flags for our objects only: nginx has one CFLAGS for C and C++.
# Dialect flags that only C knows are taken out (a Debian default of newer
# releases); nginx's own -W -Wall -Werror stay. Our -O2 comes first and nginx's
# plain -O goes: what a packager writes decides.

# Names of files in the module begin here, wherever it is built.
x402_cc="-ffile-prefix-map=$ngx_addon_dir=."
x402_cpp_cc="-std=c++17 -Wextra -Wshadow -fvisibility=hidden -iquote $ngx_addon_dir/src"
if [ "$NGX_CC_NAME" = gcc ]; then
    # Without it glibc would never unload what older configurations loaded.
    x402_cpp_cc="$x402_cpp_cc -fno-gnu-unique"
fi
if [ "$X402_CURL" = no ]; then
    x402_cpp_cc="$x402_cpp_cc -DX402_NO_CURL"
fi

for x402_file in $x402_cpp; do

    x402_room=`dirname $x402_file`
    x402_room=`basename $x402_room`
    x402_obj="$NGX_OBJS/addon/$x402_room/`basename $x402_file .cpp`.o"

    cat << END                                                >> $NGX_MAKEFILE

$x402_obj:	CFLAGS := -O2 \$(filter-out -O -Werror=implicit-function-declaration,\$(CFLAGS)) \\
	$x402_cpp_cc $x402_cc
END

done

# The scripts of the store, in one order everywhere.
x402_lua_files=
for x402_file in `cd $ngx_addon_dir && LC_ALL=C && export LC_ALL && ls src/store/lua/*.lua`; do
    x402_lua_files="$x402_lua_files $ngx_addon_dir/$x402_file"
done

cat << END                                                    >> $NGX_MAKEFILE

$x402_lua:	$ngx_addon_dir/src/store/lua/embed $x402_lua_files
	mkdir -p $NGX_OBJS/addon/store
	$ngx_addon_dir/src/store/lua/embed $x402_lua_files > $x402_lua.new
	mv $x402_lua.new $x402_lua

$NGX_OBJS/addon/store/store_lua.o:	CFLAGS := -O2 \$(filter-out -O -Werror=implicit-function-declaration,\$(CFLAGS)) \\
	$x402_cpp_cc $x402_cc

$NGX_OBJS/addon/`basename $ngx_addon_dir`/ngx_http_x402_module.o:	CFLAGS += $x402_cc
END
