using Ome.Agent.Files;

namespace Ome.Tests.Agent.Files;

public sealed class AtomicFileTests
{
    private string _directory = "";

    [SetUp]
    public void MakeDirectory() => _directory = Directory.CreateTempSubdirectory("ome-atomic-").FullName;

    [TearDown]
    public void RemoveDirectory() => Directory.Delete(_directory, recursive: true);

    [Test]
    public void What_was_written_is_read()
    {
        var path = Path.Combine(_directory, "a.json");
        AtomicFile.Write(path, "one"u8);
        AtomicFile.Write(path, "two"u8);

        AtomicFile.Read(path, 100).Should().Equal("two"u8.ToArray());
        Directory.GetFiles(_directory).Should().Equal(path);
    }

    [Test]
    public void A_half_written_file_of_a_crash_is_not_seen_and_not_in_the_way()
    {
        var path = Path.Combine(_directory, "a.json");
        AtomicFile.Write(path, "one"u8);
        File.WriteAllText(path + AtomicFile.PendingSuffix, "half of a much longer tw");

        AtomicFile.Read(path, 100).Should().Equal("one"u8.ToArray());
        AtomicFile.Write(path, "two"u8);
        AtomicFile.Read(path, 100).Should().Equal("two"u8.ToArray());
    }

    [Test]
    public void Absent_and_oversized_files_read_as_nothing()
    {
        var path = Path.Combine(_directory, "a.json");
        AtomicFile.Read(path, 100).Should().BeNull();
        AtomicFile.Write(path, new byte[101]);
        AtomicFile.Read(path, 100).Should().BeNull();
        AtomicFile.Delete(path);
        AtomicFile.Delete(path);
        File.Exists(path).Should().BeFalse();
    }
}
