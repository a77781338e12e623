using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Ome.Tests.Architecture;

/// <summary>The members of other assemblies that method bodies of a namespace call, read from the metadata.</summary>
internal static class CalledMembers
{
    private const byte Call = 0x28;
    private const byte CallVirtual = 0x6F;

    public static IReadOnlyList<(string Caller, string Type, string Member)> Of(string assemblyPath, string rootNamespace)
    {
        using var stream = File.OpenRead(assemblyPath);
        using var image = new PEReader(stream);
        var metadata = image.GetMetadataReader();
        var calls = new List<(string, string, string)>();
        foreach (var handle in metadata.MethodDefinitions)
        {
            var method = metadata.GetMethodDefinition(handle);
            var caller = Outermost(metadata, method.GetDeclaringType());
            if (method.RelativeVirtualAddress == 0 || !caller.StartsWith(rootNamespace, StringComparison.Ordinal)) continue;
            var body = image.GetMethodBody(method.RelativeVirtualAddress).GetILBytes() ?? [];
            // Reading every offset as a call may name members that are not called, never miss one that is.
            for (var i = 0; i + 4 < body.Length; i++)
            {
                if (body[i] is not (Call or CallVirtual) || body[i + 4] != 0x0A) continue;
                var row = body[i + 1] | (body[i + 2] << 8) | (body[i + 3] << 16);
                if (row == 0 || row > System.Reflection.Metadata.Ecma335.MetadataReaderExtensions.GetTableRowCount(metadata, System.Reflection.Metadata.Ecma335.TableIndex.MemberRef)) continue;
                var member = metadata.GetMemberReference(System.Reflection.Metadata.Ecma335.MetadataTokens.MemberReferenceHandle(row));
                calls.Add((caller, TypeName(metadata, member.Parent), metadata.GetString(member.Name)));
            }
        }

        return calls;
    }

    private static string Outermost(MetadataReader metadata, TypeDefinitionHandle handle)
    {
        var type = metadata.GetTypeDefinition(handle);
        while (!type.GetDeclaringType().IsNil) type = metadata.GetTypeDefinition(type.GetDeclaringType());
        return metadata.GetString(type.Namespace) + "." + metadata.GetString(type.Name);
    }

    private static string TypeName(MetadataReader metadata, EntityHandle parent)
    {
        if (parent.Kind == HandleKind.TypeReference)
        {
            var type = metadata.GetTypeReference((TypeReferenceHandle)parent);
            return metadata.GetString(type.Namespace) + "." + metadata.GetString(type.Name);
        }

        if (parent.Kind != HandleKind.TypeSpecification) return parent.Kind.ToString();
        var signature = metadata.GetTypeSpecification((TypeSpecificationHandle)parent).Signature;
        return signature.IsNil ? "?" : "generic " + GenericName(metadata, metadata.GetBlobReader(signature));
    }

    private static string GenericName(MetadataReader metadata, BlobReader signature)
    {
        if (signature.ReadByte() != 0x15) return "?";
        signature.ReadByte();
        var handle = signature.ReadTypeHandle();
        return handle.Kind == HandleKind.TypeReference ? metadata.GetString(metadata.GetTypeReference((TypeReferenceHandle)handle).Name) : handle.Kind.ToString();
    }
}
