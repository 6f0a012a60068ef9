#include "server/program.h"

int
main(int argc, char **argv)
{
    return ts_server_main(argc, argv);
}
