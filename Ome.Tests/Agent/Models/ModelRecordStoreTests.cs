using Microsoft.Extensions.Logging.Abstractions;
using Ome.Agent.Models;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;

namespace Ome.Tests.Agent.Models;

public sealed class ModelRecordStoreTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private string _directory = "";

    [SetUp]
    public void MakeDirectory() => _directory = Directory.CreateTempSubdirectory("ome-records-").FullName;

    [TearDown]
    public void RemoveDirectory() => Directory.Delete(_directory, recursive: true);

    [Test]
    public void A_record_survives_a_restart()
    {
        var record = Record("m") with
        {
            Phase = ModelPhase.Withdrawn,
            Reason = "FileMissing",
            Findings = [new RecordedFinding("a.bin", "FileMissing", "12", null, 0, null)],
            Config = new ReportedConfig { ModelType = "llama" },
            Validation = new ReportedValidation { Result = "Invalid" },
        };
        Open().Save(record);

        Open().Find(record.Key).Should().BeEquivalentTo(record);
    }

    [Test]
    public void A_damaged_record_is_absent_and_does_not_hide_others()
    {
        var store = Open();
        store.Save(Record("good"));
        store.Save(Record("bad"));
        var path = Path.Combine(store.DirectoryOf(ModelKey.Cluster("bad")), "record.json");
        var bytes = string.Join("\n", File.ReadAllLines(path)).Replace("Staging", "Ready", StringComparison.Ordinal);
        File.WriteAllText(path, bytes);

        Open().All.Select(record => record.Name).Should().Equal("good");
    }

    [Test]
    public void A_removed_record_stays_removed()
    {
        var store = Open();
        store.Save(Record("m"));
        store.Remove(ModelKey.Cluster("m"));

        store.Find(ModelKey.Cluster("m")).Should().BeNull();
        Open().All.Should().BeEmpty();
    }

    private ModelRecordStore Open() => new(_directory, NullLogger<ModelRecordStore>.Instance);

    private static ModelRecord Record(string name) =>
        ModelRecord.Begin(new ModelSpec { Key = ModelKey.Cluster(name), Uid = "u1", StorageUri = "hf://a/b" }, "/models/" + name, Now);
}
