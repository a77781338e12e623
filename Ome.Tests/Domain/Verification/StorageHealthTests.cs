using Ome.Shared.Domain.Verification;

namespace Ome.Tests.Domain.Verification;

public sealed class StorageHealthTests
{
    private const ulong Disk = 0x810;
    private const ulong OtherDisk = 0x10301;

    [Test]
    public void One_damaged_model_says_nothing_of_a_disk() => Of(Model("a", Disk, false)).Should().Be(StorageHealth.Good);

    [Test]
    public void Two_on_different_devices_say_nothing_either() => Of(Model("a", Disk, false), Model("b", OtherDisk, false)).IsDegraded.Should().BeFalse();

    [Test]
    public void Two_whose_device_is_not_known_say_nothing() => Of(Model("a", null, false), Model("b", null, false)).IsDegraded.Should().BeFalse();

    [Test]
    public void Two_on_one_device_do() =>
        Of(Model("b", Disk, false), Model("a", Disk, false), Model("c", OtherDisk, false)).Should().Be(new StorageHealth(true, "SeveralModelsDamaged", "2 models on device 8:16 are damaged: a, b"));

    [Test]
    public void A_single_read_error_does() =>
        Of(Model("a", null, true)).Should().Be(new StorageHealth(true, "ReadErrors", "the disk returns errors for files of a"));

    [Test]
    public void Of_many_models_three_are_named() =>
        Of([.. "edcba".Select(name => new DamagedModel(name.ToString(), OtherDisk, false))]).Message.Should().Be("5 models on device 259:1 are damaged: a, b, c and 2 more");

    private static DamagedModel Model(string name, ulong? device, bool isUnreadable) => new(name, device, isUnreadable);

    private static StorageHealth Of(params DamagedModel[] damaged) => StorageHealth.Of(damaged);
}
