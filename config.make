# Flags for our C++ objects only: nginx has one CFLAGS for C and C++.
# Dialect flags that only C knows are taken out (a Debian default of newer
# releases); nginx's own -W -Wall -Werror stay.

x402_cc=
if [ "$NGX_CC_NAME" = gcc ]; then
    # Without it glibc would never unload what older configurations loaded.
    x402_cc="-fno-gnu-unique"
fi

for x402_file in $x402_cpp; do

    x402_room=`dirname $x402_file`
    x402_room=`basename $x402_room`
    x402_obj="$NGX_OBJS/addon/$x402_room/`basename $x402_file .cpp`.o"

    cat << END                                                >> $NGX_MAKEFILE

$x402_obj:	CFLAGS := \$(filter-out -Werror=implicit-function-declaration,\$(CFLAGS)) \\
	-O2 -std=c++17 -fvisibility=hidden $x402_cc -iquote $ngx_addon_dir/src
END

done
