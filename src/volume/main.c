/* vmm_volume: copies between a volume and a socket. */
int main(void)
{
	return 1;
}
