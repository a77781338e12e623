using Microsoft.Win32.SafeHandles;

namespace Ome.Agent.Verification.Reading.Linux;

/// <summary>Keeps a handle's descriptor from being closed, and its number from being reused, while a call uses it.</summary>
internal readonly ref struct DescriptorLease
{
    private readonly SafeFileHandle _handle;

    public DescriptorLease(SafeFileHandle handle)
    {
        var taken = false;
        handle.DangerousAddRef(ref taken);
        _handle = handle;
    }

    public int Descriptor => (int)_handle.DangerousGetHandle();

    public void Dispose() => _handle.DangerousRelease();
}
