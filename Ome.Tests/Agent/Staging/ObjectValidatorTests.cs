using System.Security.Cryptography;
using Ome.Agent.Staging;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Objects;
using Ome.Tests.Support;

namespace Ome.Tests.Agent.Staging;

/// <summary>Contract 5.1 on real files; the rules themselves are in <c>ObjectValidityTests</c>.</summary>
public sealed class ObjectValidatorTests
{
    private const int MiB = 1024 * 1024;

    [Test, CancelAfter(120_000)]
    public async Task A_file_is_held_to_its_md5(CancellationToken token)
    {
        using var directory = new TempDirectory();
        var content = Noise(3 * MiB);
        await File.WriteAllBytesAsync(directory["f"], content, token);
        var expectation = ObjectExpectation.FromOci(Convert.ToBase64String(MD5.HashData(content)), null, null);

        (await ObjectValidator.ValidateAsync(directory["f"], content.Length, expectation, token)).Should().BeOfType<ObjectValidity.Proven>();
        content[MiB] ^= 1;
        await File.WriteAllBytesAsync(directory["f"], content, token);
        (await ObjectValidator.ValidateAsync(directory["f"], content.Length, expectation, token)).Should().BeOfType<ObjectValidity.DigestDiffers>();
        (await ObjectValidator.ValidateAsync(directory["f"], content.Length + 1, expectation, token)).Should().BeOfType<ObjectValidity.SizeDiffers>();
        (await ObjectValidator.ValidateAsync(directory["g"], content.Length, expectation, token)).Should().BeOfType<ObjectValidity.Missing>();
    }

    [TestCase(5)]
    [TestCase(8)]
    [CancelAfter(120_000)]
    public async Task A_multipart_md5_is_recomputed_from_the_file_by_finding_its_part_size(int partMiB, CancellationToken token)
    {
        using var directory = new TempDirectory();
        var content = Noise((17 * MiB) + 3);
        await File.WriteAllBytesAsync(directory["f"], content, token);
        var parts = content.Chunk(partMiB * MiB).Select(MD5.HashData).ToList();
        var multipart = $"{Convert.ToBase64String(MD5.HashData([.. parts.SelectMany(part => part)]))}-{parts.Count}";

        var validity = await ObjectValidator.ValidateAsync(directory["f"], content.Length, ObjectExpectation.FromOci(null, multipart, null), token);

        var proof = validity.Should().BeOfType<ObjectValidity.Proven>().Which.Proof;
        proof.PartSize.Should().Be(partMiB * MiB);
        // What was found is kept as text and proves the file again without the network.
        ContentDigest.TryParse(proof.ToString(), out var kept).Should().BeTrue();
        kept.Should().Be(proof);
    }

    [Test, CancelAfter(120_000)]
    public async Task A_link_is_not_the_object(CancellationToken token)
    {
        using var directory = new TempDirectory();
        await File.WriteAllBytesAsync(directory["f"], [1], token);
        File.CreateSymbolicLink(directory["l"], directory["f"]);

        (await ObjectValidator.ValidateAsync(directory["l"], 1, new ObjectExpectation.SizeOnly("none"), token)).Should().BeOfType<ObjectValidity.Missing>();
    }

    private static byte[] Noise(int length)
    {
        var bytes = new byte[length];
        new Random(11).NextBytes(bytes);
        return bytes;
    }
}
