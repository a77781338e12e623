using System.Text;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Verification;
using Ome.Tests.Support;

namespace Ome.Tests.Domain.Verification;

public sealed class StructureCheckTests
{
    private const string Pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";

    [TestCase("config.json", FileRole.Config)]
    [TestCase("unet/diffusion_pytorch_model.safetensors.index.json", FileRole.WeightIndex)]
    [TestCase("model-00001-of-00002.safetensors", FileRole.Safetensors)]
    [TestCase("llama.Q4_K_M.gguf", FileRole.Gguf)]
    [TestCase("pytorch_model.bin", FileRole.OpaqueWeights)]
    [TestCase("README.md", FileRole.Other)]
    public void The_role_is_told_by_the_name(string path, FileRole role) => StructureCheck.RoleOf(ArtifactPath.Parse(path)).Should().Be(role);

    [TestCase(FileRole.Safetensors)]
    [TestCase(FileRole.Gguf)]
    [TestCase(FileRole.OpaqueWeights)]
    [TestCase(FileRole.Config)]
    public void An_lfs_pointer_instead_of_the_content_is_broken(FileRole role) =>
        Examine(role, Encoding.UTF8.GetBytes(Pointer)).Problem!.Message.Should().StartWith("a Git LFS pointer");

    [Test]
    public void A_weight_file_whose_end_was_never_written_is_broken()
    {
        var bytes = WeightFiles.Safetensors(1, 3 * 1024 * 1024);
        Examine(FileRole.Safetensors, bytes).Problem.Should().BeNull();

        bytes.AsSpan(bytes.Length - StructureCheck.TailBytes).Clear();
        var problem = Examine(FileRole.Safetensors, bytes).Problem!;

        problem.Message.Should().Be("the last 1048576 bytes are all zero");
        problem.Offset.Should().Be(bytes.Length - StructureCheck.TailBytes);
    }

    [Test]
    public void One_byte_that_is_not_zero_makes_a_tail()
    {
        var bytes = new byte[2 * 1024 * 1024];
        bytes[^StructureCheck.TailBytes] = 1;

        Examine(FileRole.OpaqueWeights, bytes).Problem.Should().BeNull();
    }

    [TestCase("""{"architectures":["LlamaForCausalLM"]}""", true)]
    [TestCase("", false)]
    [TestCase("""{"architectures":["LlamaForCausal""", false)]
    public void A_configuration_must_parse(string text, bool good) => Examine(FileRole.Config, Encoding.UTF8.GetBytes(text)).IsBroken.Should().Be(!good);

    [Test]
    public void A_file_of_no_known_role_is_not_even_read()
    {
        var source = new ArrayByteSource(new byte[10]);

        StructureCheck.Examine(FileRole.Other, source).Problem.Should().BeNull();
        source.BytesRead.Should().Be(0);
    }

    private static StructureExamination Examine(FileRole role, byte[] bytes) => StructureCheck.Examine(role, new ArrayByteSource(bytes));
}
