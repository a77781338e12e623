using Ome.Agent.Verification.Reading.Linux;

namespace Ome.Tests.Agent.Reading;

/// <summary>The mount of a path, from the kernel's list.</summary>
public sealed class MountsTests
{
    private static readonly string[] Info =
    [
        "22 1 8:1 / / rw - ext4 /dev/sda1 rw",
        "31 22 0:40 / /models rw shared:5 - nfs4 filer:/models rw",
        "32 22 0:41 / /models/my\\040disk rw - xfs /dev/sdb rw",
        "40 22 0:50 / /models rw - tmpfs tmpfs rw",
    ];

    [TestCase("/", "22 /")]
    [TestCase("/srv/models", "22 /")]
    [TestCase("/models-too", "22 /")]
    [TestCase("/models/llama", "40 /models")]
    [TestCase("/models/my disk/llama", "32 /models/my disk")]
    public void The_innermost_mount_that_was_mounted_last_counts(string path, string mount) => Mounts.Innermost(Info, path).Should().Be(mount);

    [Test]
    public void The_kernel_tells_of_the_mount_of_any_path() => Mounts.Of(Path.GetTempPath()).Should().NotBeEmpty();
}
